//! A request's headers, as far as this filter is interested in them: not at all.

/// The host's copy of them.
pub(crate) struct HeaderBlock(Vec<u8>);

impl HeaderBlock {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Whether there was nothing to be had.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
