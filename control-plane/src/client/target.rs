//! A URL that the doctor asks.

use std::{fmt, str::FromStr};

use edge_api::id::Id;
use url::{Host, Url};

/// A URL of scheme `http` or `https`, without user and password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target(Url);

/// Why a text is no [`Target`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTarget {
    /// It is none, or of another scheme.
    #[error("write a URL as in https://gateway.example/mcp/pr_…")]
    Url,
    /// It holds what would be logged along the way.
    #[error("write the URL without a user or password; the key goes into --key")]
    Credentials,
}

impl Target {
    /// Whether TLS is wanted.
    pub(crate) fn is_tls(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The host's name or address.
    pub(crate) fn host(&self) -> String {
        match self.0.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => String::new(),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or(80)
    }

    /// The value of the header `host`.
    pub(crate) fn authority(&self) -> &str {
        self.0.authority()
    }

    /// Path and query.
    pub(crate) fn path(&self) -> String {
        match self.0.query() {
            Some(query) => format!("{}?{query}", self.0.path()),
            None => self.0.path().to_owned(),
        }
    }

    /// The same with `more` after the path.
    pub(crate) fn below(&self, more: &str) -> String {
        format!("{}/{more}", self.0.path().trim_end_matches('/'))
    }

    /// What in the path may be the id of a project or MCP server.
    pub(crate) fn ids(&self) -> Vec<Id> {
        let segments = self.0.path_segments().into_iter().flatten();
        segments.filter_map(|text| Id::parse(text).ok()).collect()
    }
}

impl FromStr for Target {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        let url: Url = text.parse().map_err(|_| InvalidTarget::Url)?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(InvalidTarget::Url);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidTarget::Credentials);
        }
        Ok(Self(url))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_web_address_without_credentials() {
        for (text, error) in [
            ("http://gw.example/mcp/pr_a", None),
            ("https://[::1]:8443/v3/mcp/x/mcp?a=b", None),
            ("gw.example/mcp", Some(InvalidTarget::Url)),
            ("ftp://gw.example/", Some(InvalidTarget::Url)),
            ("http://ak_x@gw.example/", Some(InvalidTarget::Credentials)),
            ("", Some(InvalidTarget::Url)),
        ] {
            assert_eq!(text.parse::<Target>().err(), error, "{text}");
        }
    }

    #[test]
    fn its_parts_are_what_a_client_sends() {
        let target: Target = "https://[::1]:8443/v3/mcp/srv_1/mcp/?a=b".parse().unwrap();
        assert_eq!((target.host().as_str(), target.port()), ("::1", 8443));
        assert_eq!(target.authority(), "[::1]:8443");
        assert_eq!(target.path(), "/v3/mcp/srv_1/mcp/?a=b");
        assert_eq!(target.below("%25"), "/v3/mcp/srv_1/mcp/%25");
        let ids: Vec<_> = target.ids().iter().map(ToString::to_string).collect();
        assert_eq!(ids, ["v3", "mcp", "srv_1", "mcp"]);
        let plain: Target = "http://gw.example".parse().unwrap();
        assert_eq!((plain.port(), plain.path().as_str()), (80, "/"));
    }
}
