//! What the holder of a project key is told by the control plane's public API.

use axum::http::{HeaderName, HeaderValue, StatusCode};
use edge_api::id::Id;
use serde_json::Value;

use super::{
    key::PresentedKey,
    known::{Facts, InForce, KeyState, Place, Unknown},
};
use crate::{
    client::{Client, answer::Answer, target::Target},
    public::authenticate::{HEADER, PROJECT_HEADER},
};

const CONFIG: &str = "/api/v3/org/project/config";
const SERVERS: &str = "/api/v3/org/project/mcp_servers?limit=100";
const ENFORCEMENT: &str = "/api/v3/org/project/mcp_enforcement";

/// More pages of servers than a project has.
const MAX_PAGES: usize = 20;

/// An API that is asked with a key.
struct Api<'a> {
    client: &'a Client,
    url: &'a Target,
    key: (HeaderName, HeaderValue),
}

/// Asks the API at `url` about the key and what `gateway` names.
pub(super) async fn ask(
    client: &Client,
    url: &Target,
    gateway: &Target,
    key: Option<&PresentedKey>,
) -> Result<Facts, Unknown> {
    let plain = key.and_then(PresentedKey::plain);
    let value = plain.and_then(|key| HeaderValue::try_from(key.reveal()).ok());
    let api = Api {
        client,
        url,
        key: (
            HeaderName::from_static(HEADER),
            value.ok_or(Unknown::NoProjectKey)?,
        ),
    };
    let config = api.get(CONFIG, None).await?;
    let required = match (config.status, config.json()) {
        (StatusCode::OK, Some(config)) => config
            .get("require_mcp_api_key")
            .and_then(Value::as_bool)
            .ok_or(Unknown::NotTheApi(200))?,
        (StatusCode::UNAUTHORIZED, Some(body)) if slug(&body) == Some("INVALID_API_KEY") => {
            return Ok(Facts {
                key: KeyState::NotLive,
                place: Place::NotKnown,
                required: None,
                in_force: None,
            });
        }
        (other, _) => return Err(Unknown::NotTheApi(other.as_u16())),
    };
    Ok(Facts {
        key: KeyState::Live,
        place: api.place(&gateway.ids()).await?,
        required: Some(required),
        in_force: api.in_force().await?,
    })
}

impl Api<'_> {
    async fn get(&self, path: &str, project: Option<&Id>) -> Result<Answer, Unknown> {
        let mut headers = vec![self.key.clone()];
        headers.extend(project.and_then(|id| {
            let value = HeaderValue::from_str(id.as_str()).ok()?;
            Some((HeaderName::from_static(PROJECT_HEADER), value))
        }));
        let path = self.url.below(path.trim_start_matches('/'));
        Ok(self.client.get(self.url, &path, &headers).await?)
    }

    /// Which of the ids is the key's project, or a server of it.
    async fn place(&self, ids: &[Id]) -> Result<Place, Unknown> {
        for id in ids {
            // The API takes a project's name beside a key of it, and of no other.
            if self.get(CONFIG, Some(id)).await?.status == StatusCode::OK {
                return Ok(Place::Project(id.clone()));
            }
        }
        let mut page = SERVERS.to_owned();
        for _ in 0..MAX_PAGES {
            let answer = self.get(&page, None).await?.json().unwrap_or_default();
            let items = answer.get("items").and_then(Value::as_array);
            let known: Vec<_> = items
                .into_iter()
                .flatten()
                .filter_map(|server| server.get("id")?.as_str())
                .collect();
            if let Some(id) = ids.iter().find(|id| known.contains(&id.as_str())) {
                return Ok(Place::Server(id.clone()));
            }
            match answer.get("next_cursor").and_then(Value::as_str) {
                Some(cursor) => page = format!("{SERVERS}&cursor={cursor}"),
                None => return Ok(Place::NotOfKey),
            }
        }
        Ok(Place::NotKnown)
    }

    async fn in_force(&self) -> Result<Option<InForce>, Unknown> {
        let answer = self.get(ENFORCEMENT, None).await?.json();
        let count = |name: &str| {
            let count = answer.as_ref()?.get("in_force")?.get(name)?.as_u64()?;
            usize::try_from(count).ok()
        };
        Ok(count("envoys")
            .zip(count("envoys_in_force"))
            .map(|(envoys, envoys_in_force)| InForce {
                envoys,
                envoys_in_force,
            }))
    }
}

fn slug(body: &Value) -> Option<&str> {
    body.get("error")?.get("slug")?.as_str()
}
