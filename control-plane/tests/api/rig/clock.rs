//! A clock that the test sets.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use control_plane::clock::Clock;
use jiff::Timestamp;

/// Stands still until it is set; panics on being read when it is broken.
#[derive(Clone)]
pub(crate) struct TestClock(Arc<AtomicI64>, Arc<AtomicU64>);

const BROKEN: i64 = i64::MIN;

impl TestClock {
    pub(crate) fn at(time: &str) -> Self {
        let clock = Self(Arc::default(), Arc::default());
        clock.set(time);
        clock
    }

    pub(crate) fn set(&self, time: &str) {
        let time: Timestamp = time.parse().unwrap();
        self.0.store(time.as_millisecond(), Ordering::SeqCst);
    }

    /// How often it was read.
    pub(crate) fn reads(&self) -> u64 {
        self.1.load(Ordering::SeqCst)
    }

    pub(crate) fn break_down(&self) {
        self.0.store(BROKEN, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.1.fetch_add(1, Ordering::SeqCst);
        let millis = self.0.load(Ordering::SeqCst);
        assert!(millis != BROKEN, "the clock is broken");
        Timestamp::from_millisecond(millis).unwrap()
    }
}
