//! Who calls: the holder of a live project key, or of a live key of the project's organisation.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, request::Parts},
};
use edge_api::{
    id::Id,
    key_format::{self, Kind},
};

use crate::{
    app::AppState,
    error::ApiError,
    key::PlainKey,
    model::{
        api_key::KeyStatus,
        audit::{Actor, Author},
    },
    request_id::RequestId,
};

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

/// A presented key with the shape of its kind.
enum Presented {
    Project(PlainKey),
    Organisation(PlainKey),
}

impl FromRequestParts<AppState> for AnyCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let project_header = single(&parts.headers, PROJECT_HEADER)
            .map_err(|_| ApiError::NoProjectId)?
            .map(|value| Id::parse(value.to_str().unwrap_or_default()));
        let now = state.clock.now();
        let author = |actor| Author {
            actor,
            at: now,
            request_id: parts.extensions.get().map(RequestId::to_string),
        };
        match presented(&parts.headers)? {
            Presented::Project(key) => {
                let found = state.store.key_by_sha256(key.sha256()).await?;
                let key = found.ok_or(ApiError::InvalidApiKey)?;
                require_live(key.lifecycle.status(now))?;
                // One that names another project expects to work on that.
                if project_header.is_some_and(|named| named.as_ref() != Ok(&key.project_id)) {
                    return Err(ApiError::ProjectNotFound);
                }
                Ok(Self::Project(Caller {
                    project_id: key.project_id,
                    author: author(Actor::ProjectKey(key.id)),
                }))
            }
            Presented::Organisation(key) => {
                let found = state.store.organisation_key_by_sha256(key.sha256()).await?;
                let key = found.ok_or(ApiError::InvalidApiKey)?;
                require_live(key.status(now))?;
                let author = author(Actor::OrganisationKey(key.id));
                let Some(project) = project_header else {
                    return Ok(Self::Organisation(OrganisationCaller {
                        organisation_id: key.organisation_id,
                        author,
                    }));
                };
                let project_id = project.map_err(|_| ApiError::ProjectNotFound)?;
                let owner = state.store.owner_of_project(&project_id).await?;
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

fn presented(headers: &HeaderMap) -> Result<Presented, ApiError> {
    let organisation = single(headers, ORGANISATION_HEADER)?;
    match (single(headers, HEADER)?, organisation) {
        (None, None) => Err(ApiError::NoApiKey),
        (Some(_), Some(_)) => Err(ApiError::AmbiguousApiKey),
        (Some(value), None) => parse(value, HEADER, Kind::Project).map(Presented::Project),
        (None, Some(value)) => {
            parse(value, ORGANISATION_HEADER, Kind::Organisation).map(Presented::Organisation)
        }
    }
}

/// The one value of a header, if there is any.
fn single<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
) -> Result<Option<&'a HeaderValue>, ApiError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(ApiError::AmbiguousApiKey),
        (value, None) => Ok(value),
    }
}

/// A key of that kind. One that calls itself of another kind is told where that belongs.
fn parse(value: &HeaderValue, header: &'static str, kind: Kind) -> Result<PlainKey, ApiError> {
    match key_format::Kind::of(value.as_bytes()) {
        Some(found) if found != kind => Err(ApiError::WrongKeyKind { header, found }),
        _ => PlainKey::parse_as(kind, value.as_bytes()).ok_or(ApiError::InvalidApiKey),
    }
}

fn require_live(status: KeyStatus) -> Result<(), ApiError> {
    match status {
        KeyStatus::Live => Ok(()),
        KeyStatus::Revoked | KeyStatus::Expired | KeyStatus::Disabled => {
            Err(ApiError::InvalidApiKey)
        }
    }
}
