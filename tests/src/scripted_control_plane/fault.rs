//! The ways in which a control plane can fail its callers.

use std::time::Duration;

/// What goes wrong with a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The call is taken and never answered.
    Hang,
    /// The connection is closed before any answer.
    Reset,
    /// A bare answer of this status.
    Status(u16),
    /// 200 with bytes that are no JSON.
    Garbage,
    /// 200 with JSON that is no answer to a check.
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
