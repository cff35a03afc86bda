//! The cases that each client goes through, and what became of it in each.

/// A situation that a client is put into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Case {
    /// At the server itself.
    Direct,
    /// Through the gateway, with the key.
    Key,
    /// Without a key.
    NoKey,
    /// With a user's key instead of a project's.
    WrongKind,
    /// With the key of another project.
    OtherProject,
    /// The project locks while the client is in a session without a key.
    Locked,
    /// With the key, while the control plane is down.
    Unavailable,
    /// Without a key, at a gateway that tells clients which log in that there is nothing to log in to.
    DeadEnd,
}

/// What became of a client in a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// It did all it was to do: so many steps.
    Worked(usize),
    /// It was refused, and its user reads this.
    Refused(String),
    /// It should not have ended like this.
    Wrong(String),
}

impl Case {
    /// The cases of a refusal, in the order of the documentation.
    pub(super) const REFUSALS: [Self; 6] = [
        Self::NoKey,
        Self::WrongKind,
        Self::OtherProject,
        Self::Locked,
        Self::Unavailable,
        Self::DeadEnd,
    ];

    /// What the case is called as a heading.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Direct => "Direct",
            Self::Key => "With the key",
            Self::NoKey => "Without a key",
            Self::WrongKind => "With a user's key (`uak_…`)",
            Self::OtherProject => "With another project's key",
            Self::Locked => "Locked in mid-session, without a key",
            Self::Unavailable => "With the key, while the control plane is down",
            Self::DeadEnd => "Without a key, with `oauth_dead_end`",
        }
    }

    /// What the case is called in tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Key => "key",
            Self::NoKey => "no key",
            Self::WrongKind => "a user's key (`uak_`)",
            Self::OtherProject => "another project's key",
            Self::Locked => "locked in mid-session",
            Self::Unavailable => "control plane down",
            Self::DeadEnd => "no key, `oauth_dead_end`",
        }
    }
}

impl Ending {
    /// The ending in a cell of the table.
    pub(super) fn cell(&self) -> String {
        match self {
            Self::Worked(1) => "works".to_owned(),
            Self::Worked(steps) => format!("{steps} steps"),
            Self::Refused(_) => "refused".to_owned(),
            Self::Wrong(_) => "WRONG".to_owned(),
        }
    }
}
