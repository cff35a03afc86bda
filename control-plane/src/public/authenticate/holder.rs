//! Whose credential it is: the key behind it, as long as that is live.

use edge_api::id::Id;
use jiff::Timestamp;

use crate::{
    error::ApiError,
    key::PlainKey,
    model::{
        api_key::{ApiKey, KeyStatus},
        audit::Actor,
        organisation_key::OrganisationKey,
        session::{Session, SessionKey},
    },
    session_token::SessionToken,
    store::Store,
};

/// The holder of a live key.
pub(crate) enum Holder {
    /// Of a project's key.
    Project(ApiKey),
    /// Of an organisation's key.
    Organisation(OrganisationKey),
}

impl Holder {
    /// Who presents that project key.
    pub(crate) async fn of_project_key(
        store: &Store,
        key: &PlainKey,
        now: Timestamp,
    ) -> Result<Self, ApiError> {
        let key = store.key_by_sha256(key.sha256()).await?;
        Self::live(key.map(Self::Project), now).ok_or(ApiError::InvalidApiKey)
    }

    /// Who presents that organisation key.
    pub(crate) async fn of_organisation_key(
        store: &Store,
        key: &PlainKey,
        now: Timestamp,
    ) -> Result<Self, ApiError> {
        let key = store.organisation_key_by_sha256(key.sha256()).await?;
        Self::live(key.map(Self::Organisation), now).ok_or(ApiError::InvalidApiKey)
    }

    /// Whose browser has that session, and the session.
    pub(crate) async fn of_session(
        store: &Store,
        token: &SessionToken,
        now: Timestamp,
    ) -> Result<(Self, Session), ApiError> {
        let session = store.session(token.sha256(), now).await?;
        let session = session.ok_or(ApiError::NoSession)?;
        let holder = match &session.key {
            SessionKey::Project(id) => store.key(id).await?.map(Self::Project),
            SessionKey::Organisation(id) => {
                store.organisation_key(id).await?.map(Self::Organisation)
            }
        };
        let holder = Self::live(holder, now).ok_or(ApiError::NoSession)?;
        Ok((holder, session))
    }

    /// What a change is made as.
    pub(super) fn actor(&self) -> Actor {
        match self {
            Self::Project(key) => Actor::ProjectKey(key.id.clone()),
            Self::Organisation(key) => Actor::OrganisationKey(key.id.clone()),
        }
    }

    /// What a session of this holder is signed in with.
    pub(crate) fn session_key(&self) -> SessionKey {
        match self {
            Self::Project(key) => SessionKey::Project(key.id.clone()),
            Self::Organisation(key) => SessionKey::Organisation(key.id.clone()),
        }
    }

    /// The id of the key.
    pub(crate) fn key_id(&self) -> &Id {
        match self {
            Self::Project(key) => &key.id,
            Self::Organisation(key) => &key.id,
        }
    }

    fn live(holder: Option<Self>, now: Timestamp) -> Option<Self> {
        holder.filter(|holder| {
            let status = match holder {
                Self::Project(key) => key.lifecycle.status(now),
                Self::Organisation(key) => key.status(now),
            };
            match status {
                KeyStatus::Live => true,
                KeyStatus::Revoked | KeyStatus::Expired | KeyStatus::Disabled => false,
            }
        })
    }
}
