//! Who calls: the holder of a live project key, or of a live key of the project's organisation. The key
//! comes with the request, or was presented to sign in to the dashboard.

use axum::{extract::FromRequestParts, http::request::Parts};
use edge_api::id::Id;

use self::credential::{Credential, single};
use crate::{app::AppState, error::ApiError, model::audit::Author, request_id::RequestId};

mod credential;
mod holder;

pub(crate) use self::holder::Holder;

/// The header that carries a project key.
pub const HEADER: &str = "x-api-key";
/// The header that carries an organisation key.
pub const ORGANISATION_HEADER: &str = "x-org-api-key";
/// The header that names the project that a call with an organisation key is about.
pub const PROJECT_HEADER: &str = "x-project-id";

/// A caller who may work on one project. **A handler that takes one cannot be reached without.**
#[derive(Debug, Clone)]
pub struct Caller {
    /// The only project that the caller may read or change with this call.
    pub project_id: Id,
    /// Who the caller is, when and on which request: what a change is made and entered as.
    pub author: Author,
}

/// A caller who may work on an organisation.
#[derive(Debug, Clone)]
pub(super) struct OrganisationCaller {
    /// The only organisation that the caller may read or change.
    pub(super) organisation_id: Id,
    /// Who the caller is, when and on which request.
    pub(super) author: Author,
}

/// A caller who may work on one project, or on a whole organisation if no project is named.
#[derive(Debug, Clone)]
pub(super) enum AnyCaller {
    /// On one project.
    Project(Caller),
    /// On all of an organisation.
    Organisation(OrganisationCaller),
}

impl FromRequestParts<AppState> for AnyCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let project_header = single(&parts.headers, PROJECT_HEADER)
            .map_err(|_| ApiError::NoProjectId)?
            .map(|value| Id::parse(value.to_str().unwrap_or_default()));
        let (store, now) = (&state.store, state.clock.now());
        let (holder, session) = match Credential::presented(&parts.headers, &parts.uri)? {
            Credential::Project(key) => (Holder::of_project_key(store, &key, now).await?, None),
            Credential::Organisation(key) => {
                (Holder::of_organisation_key(store, &key, now).await?, None)
            }
            Credential::Session(token) => {
                let (holder, session) = Holder::of_session(store, &token, now).await?;
                (holder, Some(session.id))
            }
        };
        let author = Author {
            actor: holder.actor(),
            session,
            at: now,
            request_id: parts.extensions.get().map(RequestId::to_string),
        };
        match (holder, project_header) {
            (Holder::Project(key), project) => {
                // One that names another project expects to work on that.
                if project.is_some_and(|named| named.as_ref() != Ok(&key.project_id)) {
                    return Err(ApiError::ProjectNotFound);
                }
                Ok(Self::Project(Caller {
                    project_id: key.project_id,
                    author,
                }))
            }
            (Holder::Organisation(key), None) => Ok(Self::Organisation(OrganisationCaller {
                organisation_id: key.organisation_id,
                author,
            })),
            (Holder::Organisation(key), Some(project)) => {
                let project_id = project.map_err(|_| ApiError::ProjectNotFound)?;
                let owner = store.owner_of_project(&project_id).await?;
                if owner != Some(key.organisation_id) {
                    return Err(ApiError::ProjectNotFound);
                }
                Ok(Self::Project(Caller { project_id, author }))
            }
        }
    }
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        match AnyCaller::from_request_parts(parts, state).await? {
            AnyCaller::Project(caller) => Ok(caller),
            AnyCaller::Organisation(_) => Err(ApiError::NoProjectId),
        }
    }
}

impl FromRequestParts<AppState> for OrganisationCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        // The calls that need one name a project in their path, if any.
        parts.headers.remove(PROJECT_HEADER);
        match AnyCaller::from_request_parts(parts, state).await? {
            AnyCaller::Organisation(caller) => Ok(caller),
            AnyCaller::Project(_) => Err(ApiError::OrganisationKeyNeeded),
        }
    }
}
