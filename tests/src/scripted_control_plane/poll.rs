//! One recorded poll of the change feed.

use std::time::Instant;

/// A poll as it arrived, whatever it was answered.
#[derive(Debug, Clone)]
pub struct Poll {
    /// When it arrived.
    pub at: Instant,
    /// The last revision that the caller has seen.
    pub after: u64,
    /// How long it is ready to wait, in milliseconds.
    pub wait_ms: u64,
    /// Whether it carried the edge token.
    pub authorized: bool,
    /// How many polls were open with it, itself included.
    pub open: usize,
}
