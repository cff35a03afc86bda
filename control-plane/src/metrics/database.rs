//! What is told of the database: read when somebody asks.

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, gauge::ConstGauge},
};

use crate::store::Store;

/// Looks at the store with each scrape. It asks the database nothing, and so tells of one that is away too.
#[derive(Debug)]
pub(super) struct Database(pub(super) Store);

impl Collector for Database {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        let revision = self.0.standings().borrow().revision;
        let gauge = ConstGauge::new(i64::try_from(revision).unwrap_or(i64::MAX));
        gauge.encode(encoder.encode_descriptor(
            "revision",
            "Revision of the latest change that this process knows of",
            None,
            MetricType::Gauge,
        )?)?;
        let mut connections = encoder.encode_descriptor(
            "database_connections",
            "Connections to the database, by what they are for",
            None,
            MetricType::Gauge,
        )?;
        for pool in self.0.connections() {
            for (state, count) in [("in_use", pool.in_use), ("idle", pool.idle)] {
                let labels = [("pool", pool.name), ("state", state)];
                ConstGauge::new(i64::try_from(count).unwrap_or(i64::MAX))
                    .encode(connections.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}
