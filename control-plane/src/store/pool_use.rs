//! How many connections are in use, for statistics.

use sqlx::AnyPool;

use super::Store;

/// The connections of one pool at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUse {
    /// What they are for: `read`, `write` or `check`.
    pub name: &'static str,
    /// Those that somebody uses.
    pub in_use: usize,
    /// Those that are open and wait for use.
    pub idle: usize,
}

impl Store {
    /// The connections of each pool.
    #[must_use]
    pub fn connections(&self) -> [PoolUse; 3] {
        [
            of("read", &self.reads),
            of("write", &self.writes),
            self.readers.in_use(),
        ]
    }
}

fn of(name: &'static str, pool: &AnyPool) -> PoolUse {
    let open = usize::try_from(pool.size()).unwrap_or(usize::MAX);
    let idle = pool.num_idle();
    PoolUse {
        name,
        in_use: open.saturating_sub(idle),
        idle,
    }
}
