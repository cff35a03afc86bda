//! The address at the other end of the connection.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::request::Parts,
};

/// Whoever is connected: behind a proxy that is the proxy.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let connected = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        // A request that came by no socket; all of them count as one peer.
        let nobody = IpAddr::from(Ipv6Addr::UNSPECIFIED);
        Ok(Self(connected.map_or(nobody, |info| info.0.ip())))
    }
}
