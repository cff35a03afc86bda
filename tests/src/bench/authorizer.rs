//! The least that Envoy's `ext_authz` can ask: a server that allows everything, over HTTP and over gRPC.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{HeaderMap, Response};

use crate::loopback_server::{Body, LoopbackServer, whole};

/// A running authorizer.
#[derive(Debug)]
pub(super) struct Authorizer {
    server: LoopbackServer,
}

impl Authorizer {
    /// Answers every request with a bare 200.
    pub(super) async fn http() -> Self {
        let server = LoopbackServer::start(|request| async move {
            drop(request);
            Ok(Response::new(whole(Bytes::new())))
        })
        .await;
        Self { server }
    }

    /// Answers every call with an empty `CheckResponse`, whose status is OK.
    pub(super) async fn grpc() -> Self {
        let server = LoopbackServer::start(|request| async move {
            // Half-read calls would be reset.
            request
                .into_body()
                .collect()
                .await
                .map_err(io::Error::other)?;
            let answer = Response::builder()
                .header(CONTENT_TYPE, "application/grpc")
                .body(allowed());
            answer.map_err(io::Error::other)
        })
        .await;
        Self { server }
    }

    /// Where it listens.
    pub(super) fn addr(&self) -> SocketAddr {
        self.server.addr()
    }
}

/// An uncompressed message of no bytes, and the trailer that says that all is well.
fn allowed() -> Body {
    let trailers = HeaderMap::from_iter([(
        hyper::header::HeaderName::from_static("grpc-status"),
        HeaderValue::from_static("0"),
    )]);
    let frames = [
        Ok(Frame::data(Bytes::from_static(&[0; 5]))),
        Ok(Frame::trailers(trailers)),
    ];
    StreamBody::new(tokio_stream::iter(frames)).boxed_unsync()
}
