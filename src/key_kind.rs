//! Keys that are not a project's, told apart by their prefix alone: what people paste by mistake. Whether such a key exists is
//! never asked.

/// A kind of key that opens no MCP server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// `uak_…`, a user's.
    User,
    /// `oak_…`, an organisation's.
    Organisation,
    /// `ck_…`, a consumer's.
    Consumer,
}

impl KeyKind {
    const ALL: [Self; 3] = [Self::User, Self::Organisation, Self::Consumer];

    /// The kind that `key` says it is; `None` when it says none of these.
    pub(crate) fn of(key: &[u8]) -> Option<Self> {
        let mut kinds = Self::ALL.into_iter();
        kinds.find(|kind| key.starts_with(kind.prefix().as_bytes()))
    }

    /// What keys of this kind begin with.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::User => "uak_",
            Self::Organisation => "oak_",
            Self::Consumer => "ck_",
        }
    }

    /// Whose key it is.
    pub(crate) fn owner(self) -> &'static str {
        match self {
            Self::User => "a user's",
            Self::Organisation => "an organisation's",
            Self::Consumer => "a consumer's",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_tells_the_kind_and_nothing_else_does() {
        for (key, kind) in [
            ("uak_x", Some(KeyKind::User)),
            ("oak_x", Some(KeyKind::Organisation)),
            ("ck_", Some(KeyKind::Consumer)),
            ("ak_x", None),
            ("UAK_x", None),
            ("xuak_x", None),
            ("", None),
        ] {
            assert_eq!(KeyKind::of(key.as_bytes()), kind, "{key}");
        }
    }
}
