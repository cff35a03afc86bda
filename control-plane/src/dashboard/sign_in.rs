//! `POST /dashboard/session`: signing in with a key.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use edge_api::key_format::Kind;
use serde_json::Value;
use tracing::info;

use super::{cookie, own_page, peer::Peer, session::SessionView};
use crate::{
    app::AppState,
    body::JsonBody,
    error::ApiError,
    key::PlainKey,
    model::session::Session,
    public::{authenticate::Holder, fields::Fields},
    random,
    session_token::SessionToken,
};

pub(super) async fn post(
    State(state): State<AppState>,
    Peer(peer): Peer,
    headers: HeaderMap,
    uri: Uri,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    own_page::require(&headers)?;
    state
        .dashboard
        .sign_ins
        .take(peer)
        .map_err(|retry_after| ApiError::TooManySignIns { retry_after })?;

    let (store, now) = (&state.store, state.clock.now());
    let holder = match parse(&body)? {
        (Kind::Organisation, key) => Holder::of_organisation_key(store, &key, now).await?,
        (_, key) => Holder::of_project_key(store, &key, now).await?,
    };
    let token = SessionToken::generate()?;
    let session = Session {
        id: random::id("ses_")?,
        key: holder.session_key(),
        created_at: now,
        expires_at: now
            .checked_add(state.dashboard.session_ttl)
            .unwrap_or(jiff::Timestamp::MAX),
    };
    store.create_session(&session, token.sha256()).await?;
    info!(session_id = %session.id, key_id = %holder.key_id(), %peer, "signed in to the dashboard");

    let view = SessionView::of(&state, holder, &session).await?;
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    let mut response = (StatusCode::CREATED, no_store, Json(view)).into_response();
    if let Some(cookie) = cookie::set(&headers, &uri, &token, state.dashboard.session_ttl) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// The key in the body. **No error repeats it.**
fn parse(body: &[u8]) -> Result<(Kind, PlainKey), ApiError> {
    let mut fields = Fields::parse(body)?;
    let text = fields.required("api_key", "a text", |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        _ => None,
    });
    let text = fields.finish_with(text)?;
    match Kind::of(text.as_bytes()) {
        Some(Kind::User | Kind::Consumer) => Err(ApiError::InvalidFields(vec![
            "api_key must be a project key (ak_…) or an organisation key (oak_…), not a key of another kind"
                .to_owned(),
        ])),
        kind => {
            let kind = kind.unwrap_or(Kind::Project);
            let key = PlainKey::parse_as(kind, text.as_bytes());
            key.map(|key| (kind, key)).ok_or(ApiError::InvalidApiKey)
        }
    }
}
