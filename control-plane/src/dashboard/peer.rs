//! Who is at the other end, by address.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, request::Parts},
};
use ipnet::IpNet;

use crate::app::AppState;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// Whoever sent the request: who is connected, or whom a trusted proxy says it speaks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

impl FromRequestParts<AppState> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        let connected = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        // A request that came by no socket; all of them count as one peer.
        let nobody = IpAddr::from(Ipv6Addr::UNSPECIFIED);
        let connected = connected.map_or(nobody, |info| info.0.ip());
        let trusted = &state.dashboard.trusted_proxies;
        Ok(Self(sender(connected, &parts.headers, trusted)))
    }
}

/// Each proxy adds whom it heard to the end of the header. What stands before the first one that is not trusted, its
/// sender may have made up.
fn sender(connected: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let lines = headers.get_all(FORWARDED_FOR).iter();
    let told: Vec<&str> = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .collect();
    let mut sender = connected.to_canonical();
    for told in told.iter().rev() {
        if !trusted.iter().any(|network| network.contains(&sender)) {
            break;
        }
        let Some(before) = address(told) else {
            break;
        };
        sender = before.to_canonical();
    }
    sender
}

/// An address as proxies write it: alone, with a port, or in brackets.
fn address(told: &str) -> Option<IpAddr> {
    let alone = told
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let with_port = || told.parse::<SocketAddr>().ok().map(|address| address.ip());
    alone.unwrap_or(told).parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_trusted_proxies_say_counts() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        let check = |connected: &str, told: &[&'static str], expected: &str| {
            let mut headers = HeaderMap::new();
            for line in told {
                headers.append(FORWARDED_FOR, line.parse().unwrap());
            }
            let sender = sender(connected.parse().unwrap(), &headers, &trusted);
            assert_eq!(sender.to_string(), expected, "{connected} {told:?}");
        };
        check("192.0.2.1", &["198.51.100.7"], "192.0.2.1");
        check("10.0.0.1", &[], "10.0.0.1");
        check("10.0.0.1", &["198.51.100.7"], "198.51.100.7");
        check("::ffff:10.0.0.1", &["198.51.100.7"], "198.51.100.7");
        check("::1", &["2001:db8::1"], "2001:db8::1");
        // A caller may write what it likes before what the proxy adds.
        check("10.0.0.1", &["203.0.113.9, 198.51.100.7"], "198.51.100.7");
        check("10.0.0.1", &["203.0.113.9", "198.51.100.7"], "198.51.100.7");
        check(
            "10.0.0.1",
            &["10.0.0.9, 198.51.100.7, 10.0.0.2"],
            "198.51.100.7",
        );
        check("10.0.0.1", &["198.51.100.7, unknown"], "10.0.0.1");
        check("10.0.0.1", &["10.0.0.3"], "10.0.0.3");
        check("10.0.0.1", &["198.51.100.7:5678"], "198.51.100.7");
        check("10.0.0.1", &["[2001:db8::1]:5678"], "2001:db8::1");
        check("10.0.0.1", &["[2001:db8::1]"], "2001:db8::1");
    }
}
