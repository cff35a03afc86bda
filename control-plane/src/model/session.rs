//! A session of the dashboard: a browser that has presented a key once.

use edge_api::id::Id;
use jiff::Timestamp;

/// A session. **It has the authority of its key and no more**: it ends with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// `ses_…`; names it in the audit log.
    pub id: Id,
    /// What it was signed in with.
    pub key: SessionKey,
    /// When it was signed in.
    pub created_at: Timestamp,
    /// From when on it has ended, whatever becomes of the key.
    pub expires_at: Timestamp,
}

/// The key that a session was signed in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionKey {
    /// The project key with that id.
    Project(Id),
    /// The organisation key with that id.
    Organisation(Id),
}
