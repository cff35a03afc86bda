//! `GET` and `DELETE /dashboard/session`: whose session it is, and signing out.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use edge_api::id::Id;
use jiff::Timestamp;
use serde::Serialize;
use tracing::info;

use super::{cookie, mcp_url::McpUrl, own_page};
use crate::{
    app::AppState,
    error::ApiError,
    model::{name::Name, session::Session},
    public::authenticate::Holder,
};

/// What the pages know of their session.
#[derive(Debug, Serialize)]
pub(super) struct SessionView<'a> {
    kind: KeyKind,
    key: Named,
    /// `null` with an organisation key, which opens all projects of its organisation.
    project: Option<Named>,
    organisation: Named,
    expires_at: Timestamp,
    mcp_url: Option<&'a McpUrl>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum KeyKind {
    Project,
    Organisation,
}

#[derive(Debug, Serialize)]
struct Named {
    id: Id,
    name: Name,
}

impl<'a> SessionView<'a> {
    /// What is shown of `holder`'s session.
    pub(super) async fn of(
        state: &'a AppState,
        holder: Holder,
        session: &Session,
    ) -> Result<Self, ApiError> {
        let (kind, key, project, organisation_id) = match holder {
            Holder::Project(key) => {
                let project = state.store.project(&key.project_id).await?;
                let named = Named {
                    id: project.id,
                    name: project.name,
                };
                let key = Named {
                    id: key.id,
                    name: key.name,
                };
                (KeyKind::Project, key, Some(named), project.organisation_id)
            }
            Holder::Organisation(key) => {
                let named = Named {
                    id: key.id,
                    name: key.name,
                };
                (KeyKind::Organisation, named, None, key.organisation_id)
            }
        };
        let organisation = state.store.organisation(&organisation_id).await?;
        Ok(Self {
            kind,
            key,
            project,
            organisation: Named {
                id: organisation.id,
                name: organisation.name,
            },
            expires_at: session.expires_at,
            mcp_url: state.dashboard.mcp_url.as_ref(),
        })
    }
}

pub(super) async fn get(
    State(state): State<AppState>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, ApiError> {
    own_page::require(&headers)?;
    let token = cookie::token(&headers, &uri).ok_or(ApiError::NoSession)?;
    let (holder, session) = Holder::of_session(&state.store, &token, state.clock.now()).await?;
    let view = SessionView::of(&state, holder, &session).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(view)).into_response())
}

/// Signs out. Whoever has no session any more has what it wants.
pub(super) async fn delete(
    State(state): State<AppState>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, ApiError> {
    own_page::require(&headers)?;
    if let Some(token) = cookie::token(&headers, &uri) {
        let session = state.store.session(token.sha256(), state.clock.now());
        if let Some(session) = session.await? {
            state.store.end_session(&session.id).await?;
            info!(session_id = %session.id, "signed out of the dashboard");
        }
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(cookie) = cookie::clear(&headers, &uri) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
