//! The end of the road for clients that answer a 401 by looking for a login: on hosts that are named for it, whoever wants to
//! register is told to send an API key, and finds no metadata. It only ever refuses: nothing it decides lets a request through.

use crate::config::{ConfigError, Fields};
use crate::route::Route;

/// The most hosts a configuration may name.
const MAX_HOSTS: usize = 64;
/// Where a client registers that has found no metadata: at the origin, whatever path the MCP server has.
const REGISTER: &[u8] = b"/register";
/// What precedes the name of a metadata document.
const WELL_KNOWN: &[u8] = b"/.well-known/";
/// The documents that clients look for, at the origin and below the MCP server's path.
const DOCUMENTS: [&[u8]; 3] = [
    b"oauth-protected-resource",
    b"oauth-authorization-server",
    b"openid-configuration",
];

/// The hosts without OAuth, none by default.
#[derive(Debug)]
pub(crate) struct OAuthDeadEnd(Vec<Host>);

/// A host that has no OAuth.
#[derive(Debug, PartialEq, Eq)]
enum Host {
    /// Every one.
    Any,
    /// This one, in lower case, without a port.
    Named(String),
}

/// What a client wants that looks for a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeadEnd {
    /// To become a client of an authorization server.
    Registration,
    /// To learn where to log in.
    Metadata,
}

/// What of a request tells whether it looks for a login.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ask<'a> {
    pub(crate) method: &'a [u8],
    pub(crate) authority: &'a [u8],
    pub(crate) path: &'a [u8],
}

impl OAuthDeadEnd {
    /// Takes `oauth_dead_end` out of `fields`.
    pub(crate) fn parse(fields: &mut Fields) -> Result<Self, ConfigError> {
        let hosts = fields.objects("oauth_dead_end")?.unwrap_or_default();
        if hosts.len() > MAX_HOSTS {
            return Err(ConfigError::new(
                "oauth_dead_end",
                format!(
                    "holds {} entries; write at most {MAX_HOSTS}, or one with the host *",
                    hosts.len()
                ),
            ));
        }
        let hosts = hosts.into_iter().map(Host::parse);
        hosts.collect::<Result<_, _>>().map(Self)
    }

    /// Where a request leads that would otherwise go to `route`. Exempt paths stay what they are, and a path that a rule
    /// protects is left to that rule, but for a look at metadata below it.
    pub(crate) fn turn(&self, route: Route, ask: Ask<'_>) -> Route {
        if self.0.is_empty() || !self.0.iter().any(|host| host.is(ask.authority)) {
            return route;
        }
        let dead_end = match &route {
            Route::Nowhere | Route::Outside => ask.at_the_origin(),
            Route::Subject(_) => ask.below_a_server(),
            Route::Exempt | Route::DeadEnd(_) => None,
        };
        dead_end.map_or(route, Route::DeadEnd)
    }
}

impl Host {
    fn parse(mut fields: Fields) -> Result<Self, ConfigError> {
        let (path, text) = (fields.path("host"), fields.required_text("host")?);
        fields.finish()?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._[]:".contains(&b);
        if text == "*" {
            Ok(Self::Any)
        } else if !text.is_empty() && text.bytes().all(plain) && without_port(&text) == text {
            Ok(Self::Named(text.to_ascii_lowercase()))
        } else {
            Err(ConfigError::new(
                path,
                format!("is {text}; write a host name without scheme, port and path, or *"),
            ))
        }
    }

    fn is(&self, authority: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Named(host) => std::str::from_utf8(authority)
                .is_ok_and(|authority| without_port(authority).eq_ignore_ascii_case(host)),
        }
    }
}

impl Ask<'_> {
    /// What it wants on a path that no rule protects.
    fn at_the_origin(&self) -> Option<DeadEnd> {
        let path = self.without_query();
        if self.method == b"POST" && path == REGISTER {
            return Some(DeadEnd::Registration);
        }
        let name = path.strip_prefix(WELL_KNOWN)?;
        let wanted = |document: &&[u8]| {
            let rest = name.strip_prefix(*document);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        };
        self.reads_one_of(wanted)
    }

    /// What it wants below the path of an MCP server.
    fn below_a_server(&self) -> Option<DeadEnd> {
        let path = self.without_query();
        let wanted = |document: &&[u8]| {
            let rest = path.strip_suffix(*document);
            rest.is_some_and(|rest| rest.ends_with(WELL_KNOWN))
        };
        self.reads_one_of(wanted)
    }

    fn reads_one_of(&self, wanted: impl Fn(&&[u8]) -> bool) -> Option<DeadEnd> {
        let reads = matches!(self.method, b"GET" | b"HEAD");
        (reads && DOCUMENTS.iter().any(wanted)).then_some(DeadEnd::Metadata)
    }

    fn without_query(&self) -> &[u8] {
        self.path.split(|&b| b == b'?').next().unwrap_or_default()
    }
}

/// The host of an authority; an IPv6 address keeps its brackets.
fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests;
