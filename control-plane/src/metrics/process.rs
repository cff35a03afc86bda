//! The process, under the names that every Prometheus dashboard knows. What `/proc` does not tell is left out.

use std::time::{SystemTime, UNIX_EPOCH};

use procfs::process::{LimitValue, Process as Proc};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};

/// Looks at `/proc/self` with each scrape.
#[derive(Debug)]
pub(super) struct Process {
    /// In seconds since the Unix epoch.
    started_at: f64,
}

impl Process {
    /// The process, which has just begun.
    pub(super) fn new() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            started_at: since_epoch.unwrap_or_default().as_secs_f64(),
        }
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        let mut put = |name: &str, help: &str, metric: &dyn EncodeMetric| {
            metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
        };
        put(
            "process_start_time_seconds",
            "When the process began",
            &ConstGauge::new(self.started_at),
        )?;
        let Ok(process) = Proc::myself() else {
            return Ok(());
        };
        if let Ok(stat) = process.stat() {
            let ticks = to_f64(stat.utime.saturating_add(stat.stime));
            put(
                "process_cpu_seconds",
                "Processor time",
                &ConstCounter::new(ticks / to_f64(procfs::ticks_per_second())),
            )?;
            let resident = stat.rss.saturating_mul(procfs::page_size());
            put(
                "process_resident_memory_bytes",
                "Resident memory",
                &ConstGauge::new(to_f64(resident)),
            )?;
            put(
                "process_threads",
                "Threads",
                &ConstGauge::new(stat.num_threads),
            )?;
        }
        if let Ok(open) = process.fd_count() {
            let open = i64::try_from(open).unwrap_or(i64::MAX);
            put("process_open_fds", "Open files", &ConstGauge::new(open))?;
        }
        if let Ok(limits) = process.limits()
            && let LimitValue::Value(most) = limits.max_open_files.soft_limit
        {
            put(
                "process_max_fds",
                "Files that may be open",
                &ConstGauge::new(to_f64(most)),
            )?;
        }
        Ok(())
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "Prometheus has nothing but such numbers"
)]
fn to_f64(number: u64) -> f64 {
    number as f64
}
