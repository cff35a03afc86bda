//! Which database the control plane has, as it tells: another one was restored from a copy.

use std::num::NonZeroU64;

use edge_api::id::Id;
use siphasher::sip::SipHasher13;

/// A digest of the id that the control plane gives its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Incarnation(NonZeroU64);

impl Incarnation {
    /// That of the database with this id.
    pub(crate) fn of(id: &Id) -> Self {
        let hash = SipHasher13::new().hash(id.as_str().as_bytes());
        Self(NonZeroU64::MIN | hash)
    }

    /// As a number, in which 0 is none.
    pub(super) fn to_number(this: Option<Self>) -> u64 {
        this.map_or(0, |incarnation| incarnation.0.get())
    }

    /// Reads it back.
    pub(super) fn from_number(number: u64) -> Option<Self> {
        NonZeroU64::new(number).map(Self)
    }
}
