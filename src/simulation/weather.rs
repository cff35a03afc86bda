//! What can befall a callout.

use crate::check::Fault;

/// The longest way in one direction while all is well.
pub(super) const FINE_DELAY_MS: u64 = 20;

/// How callouts fare.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weather {
    /// The longest way in one direction.
    pub(super) delay_ms: u64,
    /// Callouts of ten that suffer `trouble`.
    pub(super) share: u8,
    pub(super) trouble: Trouble,
}

/// What becomes of a callout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Envoy does not send it.
    NotSent,
    /// The connection breaks before it arrives.
    Reset,
    /// The connection breaks on the way back.
    AnswerReset,
    Status,
    Empty,
    Cut,
    Garbage,
    /// Another callout's answer.
    Swapped,
    /// Nobody answers until Envoy's own time limit.
    BlackHole,
    /// Envoy never tells of the end.
    Lost,
    /// The answer is told twice.
    Twice,
}

/// A body with status 200, or none.
pub(super) type Reply = Result<Vec<u8>, Fault>;

impl Weather {
    pub(super) const FINE: Self = Self {
        delay_ms: FINE_DELAY_MS,
        share: 0,
        trouble: Trouble::NotSent,
    };
    /// Nothing gets through.
    pub(super) const BROKEN: Self = Self {
        share: 10,
        trouble: Trouble::Reset,
        ..Self::FINE
    };
}

/// What arrives of an answer.
pub(super) fn spoil(mut answer: Vec<u8>, trouble: Option<Trouble>) -> Reply {
    match trouble {
        Some(Trouble::Reset | Trouble::AnswerReset) => return Err(Fault::Reset),
        Some(Trouble::Status) => return Err(Fault::Status),
        Some(Trouble::Empty) => return Err(Fault::Schema),
        Some(Trouble::Cut) => answer.truncate(answer.len() / 2),
        Some(Trouble::Garbage) => answer = b"{\"error\":{\"code\":\"unauthorized\"}}".to_vec(),
        Some(Trouble::Swapped) => {
            let other = r#"{"revision":99,"project":null,"key":{"verdict":"valid","id":null,"expires_at":null},"ttl_ms":60000}"#;
            answer = other.as_bytes().to_vec();
        }
        Some(Trouble::NotSent | Trouble::BlackHole | Trouble::Lost | Trouble::Twice) | None => {}
    }
    Ok(answer)
}
