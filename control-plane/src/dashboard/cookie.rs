//! The cookie that holds a session's token.
//!
//! Out of reach of scripts (`HttpOnly`), of other sites (`SameSite=Strict`), and off loopback also of plain
//! HTTP and of neighbouring host names (`Secure` with the prefix `__Host-`). On loopback there is no TLS
//! as a rule, and a browser would drop such a cookie. A proxy on this machine may ask for `127.0.0.1` on behalf of a
//! page with TLS: then the page's own origin, which browsers tell when they sign in or out, says so.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderValue, Uri, header, uri::Authority};
use cookie::{Cookie, SameSite};
use jiff::SignedDuration;

use crate::session_token::SessionToken;

const SECURE_NAME: &str = "__Host-mcp_key_auth_session";
const LOOPBACK_NAME: &str = "mcp_key_auth_session";

/// The token that a request carries. Of several cookies with the name none counts: another host's page may
/// have planted one. One that nobody can plant goes before one that only loopback may use.
pub(crate) fn token(headers: &HeaderMap, uri: &Uri) -> Option<SessionToken> {
    let mut cookies: Vec<(bool, String)> = Vec::new();
    for line in headers.get_all(header::COOKIE) {
        // Other cookies of the host may hold any bytes.
        let line = String::from_utf8_lossy(line.as_bytes());
        for cookie in Cookie::split_parse(line.as_ref()).filter_map(Result::ok) {
            if [SECURE_NAME, LOOPBACK_NAME].contains(&cookie.name()) {
                let secure = cookie.name() == SECURE_NAME;
                cookies.push((secure, cookie.value().to_owned()));
            }
        }
    }
    let secure = cookies.iter().any(|(secure, _)| *secure);
    if !secure && !is_loopback(headers, uri) {
        return None;
    }
    let mut tokens = cookies.iter().filter(|(is_secure, _)| *is_secure == secure);
    let (Some((_, token)), None) = (tokens.next(), tokens.next()) else {
        return None;
    };
    SessionToken::parse(token)
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
    if is_loopback(headers, uri) && !has_tls_page(headers) {
        LOOPBACK_NAME
    } else {
        SECURE_NAME
    }
}

/// Whether the page that asks was loaded with TLS.
fn has_tls_page(headers: &HeaderMap) -> bool {
    headers
        .get(header::ORIGIN)
        .is_some_and(|origin| origin.as_bytes().starts_with(b"https://"))
}

/// Whether the browser, or a proxy in between, speaks to this machine itself. Only the caller decides what it
/// sends as host, and a wrong answer costs nobody but its own user.
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
        // Behind a proxy on this machine both may come: the page's own, and what another program on it has set.
        const OTHER: &str = "mcp_key_auth_session=bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
        assert_eq!(read("localhost", &[OTHER, HOST]).as_deref(), Some(TOKEN));
        assert_eq!(read("localhost", &[HOST, HOST]), None);
    }

    #[test]
    fn a_page_with_tls_gets_a_secure_cookie_also_from_behind_a_proxy_on_loopback() {
        let token = SessionToken::generate().unwrap();
        for (origin, secure) in [
            ("https://dashboard.example.org", true),
            ("http://localhost:8080", false),
            ("null", false),
        ] {
            let mut headers = headers("127.0.0.1:8080", &[]);
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            let ttl = SignedDuration::from_secs(60);
            let set = set(&headers, &Uri::default(), &token, ttl).unwrap();
            let set = set.to_str().unwrap();
            assert_eq!(set.contains("; Secure"), secure, "{origin}: {set}");
            assert_eq!(set.starts_with("__Host-"), secure, "{origin}: {set}");
        }
    }

    #[test]
    fn a_cookie_of_another_program_takes_nobody_his_session() {
        let mut headers = headers("localhost", &[]);
        let line = [
            b"theme=d\xfcster; ".as_slice(),
            b"mcp_key_auth_session=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ];
        let line = HeaderValue::from_bytes(&line.concat()).unwrap();
        headers.insert(header::COOKIE, line);
        assert!(token(&headers, &Uri::default()).is_some());
    }
}
