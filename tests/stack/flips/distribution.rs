//! How long things took, in the words of a report.

use std::fmt;
use std::time::Duration;

/// Sorted times.
pub(super) struct Distribution(Vec<Duration>);

impl Distribution {
    pub(super) fn of(mut times: Vec<Duration>) -> Self {
        assert!(!times.is_empty(), "nothing was measured");
        times.sort_unstable();
        Self(times)
    }

    /// The time that this share of all did not exceed, in hundredths.
    pub(super) fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0[rank - 1]
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} times:", self.0.len())?;
        for (name, percent) in [("p50", 50), ("p90", 90), ("p99", 99), ("max", 100)] {
            write!(f, " {name} {} ms", self.percentile(percent).as_millis())?;
        }
        Ok(())
    }
}
