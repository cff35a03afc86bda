//! The ways in which a control plane can fail its callers.

use std::time::Duration;

/// What goes wrong with a check, or with a poll of the change feed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// The call is taken and never answered.
    Hang,
    /// The connection is closed before any answer.
    Reset,
    /// A bare answer of this status.
    Status(u16),
    /// 200 with bytes that are no JSON.
    Garbage,
    /// 200 with JSON that is no answer to what was asked.
    WrongSchema,
    /// 200 with no body.
    Empty,
    /// 200 with a right answer, padded with white space to at least this many bytes.
    Oversized(usize),
    /// The right answer, this much later.
    Delay(Duration),
    /// 200 and its headers, then the connection is closed.
    CutBody,
    /// 200 with the first half of the right answer, complete as far as HTTP can tell.
    Truncated,
}

impl Fault {
    /// A fault that lasts this long is longer than any deadline in the tests.
    pub(super) const FOREVER: Duration = Duration::from_secs(3600);

    /// Whether a poll meets it without waiting for a change: all but those that still give the right answer.
    pub(super) fn is_at_once(self) -> bool {
        !matches!(self, Self::None | Self::Delay(_) | Self::Oversized(_))
    }
}
