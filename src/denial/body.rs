//! The body of a refusal: at once a JSON-RPC error and the settings API's error, because each MCP client
//! reads another half of it. The whole remedy is in `message`, the only member that every client shows.

use serde::Serialize;

use super::Refusal;
use crate::key_kind::KeyKind;
use crate::key_source::KeySources;

/// The bodies of all refusals, written when the configuration is loaded; only the request id is filled in later.
#[derive(Debug)]
pub(crate) struct Bodies([String; Refusal::ALL.len()]);

/// The wire form. `id` is present and null: the Python SDK drops a 401 whose body has none.
#[derive(Serialize)]
struct Body<'a> {
    jsonrpc: &'static str,
    id: Option<u64>,
    error: Error<'a>,
}

#[derive(Serialize)]
struct Error<'a> {
    code: u32,
    message: &'a str,
    slug: &'static str,
    status: u32,
    suggested_fix: &'a str,
}

/// The wire form for a client that wants to register.
#[derive(Serialize)]
struct NoOAuth<'a> {
    error: &'static str,
    error_description: &'a str,
}

impl Bodies {
    pub(crate) fn new(key_sources: &KeySources) -> Self {
        let header = key_sources.preferred_header();
        let scheme = key_sources
            .preferred_scheme()
            .map(|scheme| format!("{scheme} "))
            .unwrap_or_default();
        let example = format!("'{header}: {scheme}<your project API key>'");
        Self(Refusal::ALL.map(|refusal| match refusal {
            Refusal::NoOAuth => no_oauth(header, &example),
            Refusal::NoMetadata => "Not Found".to_owned(),
            refusal => open_body(refusal, header, &example),
        }))
    }

    /// The body of `refusal`.
    pub(crate) fn render(&self, refusal: Refusal, request_id: Option<&str>) -> String {
        let open = self.0.get(refusal as usize).map_or("", String::as_str);
        if matches!(refusal, Refusal::NoOAuth | Refusal::NoMetadata) {
            return open.to_owned();
        }
        // A request id is checked to need no escaping when it is read.
        match request_id {
            Some(id) => [open, ",\"request_id\":\"", id, "\"}}"].concat(),
            None => [open, "}}"].concat(),
        }
    }
}

/// The whole body for a client that wants to register, in the form of OAuth (RFC 7591 §3.2.2): its description is what the
/// client's user reads.
fn no_oauth(header: &str, example: &str) -> String {
    let description = format!(
        "This MCP server does not use OAuth. Send your project's API key in the {header} header: \
         add the header {example} to this MCP server in your client's configuration."
    );
    let body = NoOAuth {
        error: "access_denied",
        error_description: &description,
    };
    // Two texts cannot fail to serialize.
    serde_json::to_string(&body).unwrap_or_default()
}

/// The body up to where `error` goes on.
fn open_body(refusal: Refusal, header: &str, example: &str) -> String {
    let (message, suggested_fix) = match refusal {
        Refusal::MissingKey => (
            format!(
                "Missing API key: this MCP server requires your project's API key in the {header} header. \
                 Add the header {example} to this MCP server in your client's configuration."
            ),
            format!("Add the header {example} to this MCP server in your client's configuration."),
        ),
        Refusal::AmbiguousKey => (
            format!(
                "Ambiguous API key: the request carries more than one API key. \
                 Send exactly one, once, as {example}."
            ),
            format!("Send exactly one API key, once, as {example}."),
        ),
        Refusal::UserKey => wrong_kind(KeyKind::User, header, example),
        Refusal::OrganisationKey => wrong_kind(KeyKind::Organisation, header, example),
        Refusal::ConsumerKey => wrong_kind(KeyKind::Consumer, header, example),
        Refusal::InvalidKey => (
            format!(
                "Invalid API key: the key in this request does not open this MCP server. \
                 Send a live API key of the project that this server belongs to, in the {header} header."
            ),
            format!(
                "Copy or create an API key in the project's settings and send it as {example}."
            ),
        ),
        Refusal::NoOAuth | Refusal::NoMetadata | Refusal::UnknownProject => (
            "Unknown MCP server: this URL names no project or MCP server. \
             Check the server's URL in your client's configuration."
                .to_owned(),
            "Copy the MCP server's URL from the project's settings.".to_owned(),
        ),
        Refusal::Unavailable => (
            "The API key check is unavailable at the moment. \
             This says nothing about your API key; try again shortly."
                .to_owned(),
            "Try again after the time in the retry-after header; keep your API key as it is."
                .to_owned(),
        ),
    };
    let status = refusal.status();
    let body = Body {
        jsonrpc: "2.0",
        id: None,
        error: Error {
            // Outside the ranges that JSON-RPC and MCP reserve.
            code: 10_000 + status,
            message: &message,
            slug: refusal.slug(),
            status,
            suggested_fix: &suggested_fix,
        },
    };
    // Texts and numbers cannot fail to serialize.
    let text = serde_json::to_string(&body).unwrap_or_default();
    text.strip_suffix("}}").unwrap_or(&text).to_owned()
}

/// Message and remedy for a key that is not a project's.
fn wrong_kind(kind: KeyKind, header: &str, example: &str) -> (String, String) {
    let (owner, prefix) = (kind.owner(), kind.prefix());
    (
        format!(
            "Wrong kind of API key: {prefix}… is {owner} key. This MCP server requires your project's API key, ak_…, in the \
             {header} header. Replace it by {example} in your client's configuration."
        ),
        format!("Send the project's API key, ak_…, instead of {owner} key, as {example}."),
    )
}
