//! An organisation's key as it is kept: everything about it but the key.

use edge_api::id::Id;
use jiff::Timestamp;
use serde::Serialize;

use super::{
    api_key::{KeyStatus, Lifecycle},
    masked_key::MaskedKey,
    name::Name,
};

/// A key that manages an organisation's projects and their keys. It opens no MCP server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrganisationKey {
    /// `okey_…`; names the key without revealing it.
    pub id: Id,
    /// The one organisation that it manages.
    pub organisation_id: Id,
    /// For people; need not be unique.
    pub name: Name,
    /// What may be shown of the key.
    pub masked_key: MaskedKey,
    /// When it was created.
    pub created_at: Timestamp,
    /// From when on it is refused; `None`: never.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked, for good.
    pub revoked_at: Option<Timestamp>,
}

impl OrganisationKey {
    /// The state at `now`.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> KeyStatus {
        let lifecycle = Lifecycle {
            expires_at: self.expires_at,
            revoked_at: self.revoked_at,
            disabled_at: None,
        };
        lifecycle.status(now)
    }
}
