//! What the gateway answers: without the key, with it, and on a path that the key filter refuses to anybody.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::Value;

use super::{key::PresentedKey, key_header::KeyHeader};
use crate::client::{Client, answer::Answer, target::Target, trouble::Trouble};

/// What a gateway's refusals have in common, see README: a JSON-RPC error with a slug.
const SLUG_PREFIX: &str = "MCP_";
/// Below a protected path, the filter refuses this to everybody: it decodes to another escape.
const PROBE: &str = "%25";

/// What was observed.
#[derive(Debug)]
pub(super) struct Observed {
    /// The answer below the path that is refused to anybody.
    pub(super) probe: Reply,
    /// The answer without a key.
    pub(super) keyless: Reply,
    /// The answer with the key, if there is one that a header can hold.
    pub(super) keyed: Option<Reply>,
    /// The header that the key was sent in.
    pub(super) header: HeaderName,
}

/// An answer, and who it is from.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) request_id: Option<String>,
    pub(super) speaker: Speaker,
}

/// Who answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Speaker {
    /// The key filter, which refused.
    KeyFilter { slug: Slug, message: String },
    /// Whoever is behind the gateway.
    Upstream,
    /// The gateway itself, as it seems: it has no route, or the server behind it does not answer.
    Gateway { text: String },
    /// Somebody who refuses and is not the key filter.
    Guard { challenge: Option<String> },
    /// Somebody who says to ask elsewhere.
    Redirect { to: String },
}

/// What the key filter refused for, as its clients read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slug {
    Missing,
    Ambiguous,
    WrongKind,
    Invalid,
    ProjectNotFound,
    Unavailable,
    /// One of another version of the filter.
    Other,
}

/// Asks the gateway.
pub(super) async fn observe(
    client: &Client,
    target: &Target,
    header: &KeyHeader,
    key: Option<&PresentedKey>,
) -> Result<Observed, Trouble> {
    let get = async |path: &str, headers: &[(HeaderName, HeaderValue)]| {
        let answer = client.get(target, path, headers).await?;
        Ok::<_, Trouble>(Reply::of(&answer))
    };
    let path = target.path();
    let keyless = get(&path, &[]).await?;
    let probe = get(&target.below(PROBE), &[]).await?;
    let keyed = match key.and_then(|key| header.with(key.reveal())) {
        Some(key) => Some(get(&path, &[key]).await?),
        None => None,
    };
    Ok(Observed {
        probe,
        keyless,
        keyed,
        header: header.name().clone(),
    })
}

impl Observed {
    /// Whether the key filter answers on this path at all.
    pub(super) fn has_key_filter(&self) -> bool {
        [Some(&self.probe), Some(&self.keyless), self.keyed.as_ref()]
            .into_iter()
            .flatten()
            .any(|reply| matches!(reply.speaker, Speaker::KeyFilter { .. }))
    }
}

impl Reply {
    fn of(answer: &Answer) -> Self {
        Self {
            status: answer.status,
            request_id: answer.header("x-request-id").map(str::to_owned),
            speaker: Speaker::of(answer),
        }
    }
}

impl Speaker {
    fn of(answer: &Answer) -> Self {
        if let Some((slug, message)) = answer.json().as_ref().and_then(refusal) {
            return Self::KeyFilter {
                slug: Slug::of(slug),
                message: message.to_owned(),
            };
        }
        let text = |name| answer.header(name).map(str::to_owned);
        match answer.status {
            status if status.is_redirection() && status != StatusCode::NOT_MODIFIED => {
                Self::Redirect {
                    to: text(header::LOCATION.as_str()).unwrap_or_default(),
                }
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Self::Guard {
                challenge: text(header::WWW_AUTHENTICATE.as_str()),
            },
            // Envoy tells how long a server took to answer, and so whether it did.
            status
                if (status == StatusCode::NOT_FOUND || status.is_server_error())
                    && answer.header("x-envoy-upstream-service-time").is_none() =>
            {
                // Envoy says why in plain text; whatever else there is may be long.
                let is_plain = text(header::CONTENT_TYPE.as_str())
                    .is_some_and(|kind| kind.starts_with("text/plain"));
                let body = String::from_utf8_lossy(&answer.body);
                let line = body.lines().next().filter(|_| is_plain);
                Self::Gateway {
                    text: line
                        .unwrap_or_default()
                        .chars()
                        .filter(|c| !c.is_control())
                        .take(200)
                        .collect(),
                }
            }
            _ => Self::Upstream,
        }
    }
}

impl Slug {
    fn of(slug: &str) -> Self {
        match slug {
            "MCP_API_KEY_MISSING" => Self::Missing,
            "MCP_API_KEY_AMBIGUOUS" => Self::Ambiguous,
            "MCP_API_KEY_WRONG_KIND" => Self::WrongKind,
            "MCP_API_KEY_INVALID" => Self::Invalid,
            "MCP_PROJECT_NOT_FOUND" => Self::ProjectNotFound,
            "MCP_AUTH_UNAVAILABLE" => Self::Unavailable,
            _ => Self::Other,
        }
    }

    /// As the filter writes it.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Missing => "MCP_API_KEY_MISSING",
            Self::Ambiguous => "MCP_API_KEY_AMBIGUOUS",
            Self::WrongKind => "MCP_API_KEY_WRONG_KIND",
            Self::Invalid => "MCP_API_KEY_INVALID",
            Self::ProjectNotFound => "MCP_PROJECT_NOT_FOUND",
            Self::Unavailable => "MCP_AUTH_UNAVAILABLE",
            Self::Other => "a slug of another version",
        }
    }
}

/// Slug and message of a refusal by the key filter.
fn refusal(body: &Value) -> Option<(&str, &str)> {
    body.get("jsonrpc")?;
    let error = body.get("error")?;
    let slug = error.get("slug")?.as_str()?;
    slug.starts_with(SLUG_PREFIX)
        .then_some((slug, error.get("message")?.as_str()?))
}
