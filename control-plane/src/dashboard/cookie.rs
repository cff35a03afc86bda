//! The cookie that holds a session's token.
//!
//! Out of reach of scripts (`HttpOnly`), of other sites (`SameSite=Strict`), and off loopback also of plain
//! HTTP and of neighbouring host names (`Secure` with the prefix `__Host-`). On loopback there is no TLS
//! as a rule, and a browser would drop such a cookie.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderValue, Uri, header, uri::Authority};
use cookie::{Cookie, SameSite};
use jiff::SignedDuration;

use crate::session_token::SessionToken;

const SECURE_NAME: &str = "__Host-mcp_key_auth_session";
const LOOPBACK_NAME: &str = "mcp_key_auth_session";

/// The token that a request carries. Of several cookies with the name none counts: another host's page may
/// have planted one.
pub(crate) fn token(headers: &HeaderMap, uri: &Uri) -> Option<SessionToken> {
    let name = name(headers, uri);
    let mut tokens = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .filter(|cookie| cookie.name() == name);
    let (token, None) = (tokens.next()?, tokens.next()) else {
        return None;
    };
    SessionToken::parse(token.value())
}

/// The header that gives a browser its token.
pub(super) fn set(
    headers: &HeaderMap,
    uri: &Uri,
    token: &SessionToken,
    ttl: SignedDuration,
) -> Option<HeaderValue> {
    written(headers, uri, token.reveal(), ttl.as_secs())
}

/// The header that takes it away.
pub(super) fn clear(headers: &HeaderMap, uri: &Uri) -> Option<HeaderValue> {
    written(headers, uri, "", 0)
}

fn written(headers: &HeaderMap, uri: &Uri, value: &str, seconds: i64) -> Option<HeaderValue> {
    let name = name(headers, uri);
    let cookie = Cookie::build((name, value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(name == SECURE_NAME)
        .max_age(cookie::time::Duration::seconds(seconds));
    let mut header = HeaderValue::from_str(&cookie.to_string()).ok()?;
    header.set_sensitive(true);
    Some(header)
}

fn name(headers: &HeaderMap, uri: &Uri) -> &'static str {
    if is_loopback(headers, uri) {
        LOOPBACK_NAME
    } else {
        SECURE_NAME
    }
}

/// Whether the browser speaks to this machine itself. Only it decides what it sends as host, and a wrong
/// answer costs nobody but its own user.
fn is_loopback(headers: &HeaderMap, uri: &Uri) -> bool {
    let authority = match uri.authority() {
        Some(authority) => Some(authority.clone()),
        None => headers
            .get(header::HOST)
            .and_then(|host| Authority::try_from(host.as_bytes()).ok()),
    };
    authority.is_some_and(|authority| {
        let host = authority.host().trim_matches(['[', ']']);
        host == "localhost"
            || host.ends_with(".localhost")
            || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &'static str, cookies: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static(host));
        for cookie in cookies {
            headers.append(header::COOKIE, HeaderValue::from_static(cookie));
        }
        headers
    }

    #[test]
    fn off_loopback_the_cookie_is_secure_and_bound_to_its_host() {
        let token = SessionToken::generate().unwrap();
        let check = |host: &'static str, secure: bool| {
            let set = set(
                &headers(host, &[]),
                &Uri::default(),
                &token,
                SignedDuration::from_secs(60),
            );
            let set = set.unwrap();
            let set = set.to_str().unwrap();
            assert_eq!(set.contains("; Secure"), secure, "{host}: {set}");
            assert_eq!(set.starts_with("__Host-"), secure, "{host}: {set}");
            for part in [
                "; HttpOnly",
                "; SameSite=Strict",
                "; Path=/",
                "; Max-Age=60",
            ] {
                assert!(set.contains(part), "{host}: {set}");
            }
            assert!(!set.contains("Domain"), "{set}");
        };
        for host in [
            "localhost",
            "localhost:8080",
            "127.0.0.1:8080",
            "[::1]:8080",
            "a.localhost",
        ] {
            check(host, false);
        }
        for host in [
            "example.org",
            "10.0.0.1",
            "127.0.0.1.example.org",
            "localhost.example.org",
            "",
            "notlocalhost",
        ] {
            check(host, true);
        }
    }

    #[test]
    fn a_token_is_read_from_the_one_cookie_with_its_name() {
        const TOKEN: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
        let read = |host: &'static str, cookies: &[&'static str]| {
            token(&headers(host, cookies), &Uri::default()).map(|token| token.reveal().to_owned())
        };
        const PLAIN: &str = "a=b; mcp_key_auth_session=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
        const HOST: &str =
            "__Host-mcp_key_auth_session=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
        assert_eq!(read("localhost", &[PLAIN]).as_deref(), Some(TOKEN));
        assert_eq!(read("example.org", &[HOST]).as_deref(), Some(TOKEN));
        // A plain cookie may come from a neighbouring host name.
        assert_eq!(read("example.org", &[PLAIN]), None);
        assert_eq!(read("localhost", &[PLAIN, PLAIN]), None);
        assert_eq!(read("localhost", &["mcp_key_auth_session=short"]), None);
        assert_eq!(read("localhost", &[]), None);
    }
}
