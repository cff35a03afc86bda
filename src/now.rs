//! The time of a decision, as data. `host` reads the clocks.

/// Both clocks at one moment, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Now {
    /// A clock that never steps, common to all workers of one Envoy; for lifetimes and deadlines.
    pub(crate) monotonic_ms: u64,
    /// Milliseconds since the Unix epoch; may step; only for a key's own expiry.
    pub(crate) unix_ms: u64,
}
