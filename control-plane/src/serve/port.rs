//! One port: from accepting a connection to the end of its last request.

use std::{io, net::SocketAddr, time::Duration};

use axum::Router;
use axum_server::{
    Handle, Server,
    accept::{TcpConfigAcceptor, TcpSocketConfig},
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::metrics::{ConnectionFailure, Metrics};

/// How often an HTTP/2 connection must give a sign of life, and how long it may take to.
const HTTP2_PING: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(20));

/// How long a connection may be without a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Until the head of its first request is there; before that, once more for the TLS handshake.
    pub(super) first_request: Duration,
    /// From then on, over HTTP/1, between the end of a request and that of the next one's head.
    pub(super) idle: Duration,
}

/// What a port serves.
pub(super) struct Port {
    /// What it is called in statistics and log lines.
    pub(super) name: &'static str,
    pub(super) listener: TcpListener,
    pub(super) tls: Option<RustlsConfig>,
    pub(super) app: Router,
}

impl Port {
    /// Serves until `shutdown`, and then what is under way. HTTP/1 and HTTP/2, with or without TLS.
    pub(super) async fn serve(
        self,
        patience: Patience,
        metrics: Metrics,
        shutdown: CancellationToken,
    ) -> io::Result<()> {
        let handle = Handle::new();
        let server = configured(self.listener, patience)
            .handle(handle.clone())
            .accept_error_handler(move |peer, error| told(self.name, &metrics, peer, error));
        let app = self.app.into_make_service_with_connect_info::<SocketAddr>();
        // Answers are small: waiting to fill a packet would only delay them.
        let tcp = TcpConfigAcceptor::new(TcpSocketConfig::new().nodelay(true));
        let drain = async {
            shutdown.cancelled().await;
            handle.graceful_shutdown(None);
            std::future::pending::<()>().await;
        };
        let served = async {
            match self.tls {
                Some(config) => {
                    let tls = RustlsAcceptor::new(config)
                        .handshake_timeout(patience.first_request)
                        .acceptor(tcp);
                    server.acceptor(tls).serve(app).await
                }
                None => server.acceptor(tcp).serve(app).await,
            }
        };
        tokio::select! {
            served = served => served,
            () = drain => Ok(()),
        }
    }
}

fn configured(listener: TcpListener, patience: Patience) -> Server<SocketAddr> {
    let mut server = Server::from_listener(listener).first_request_timeout(patience.first_request);
    let builder = server.http_builder();
    builder.http1().header_read_timeout(patience.idle);
    let (interval, timeout) = HTTP2_PING;
    builder
        .http2()
        .keep_alive_interval(interval)
        .keep_alive_timeout(timeout);
    server
}

fn told(name: &'static str, metrics: &Metrics, peer: Option<&SocketAddr>, error: &io::Error) {
    let failure = match (peer, error.kind()) {
        (None, _) => ConnectionFailure::System,
        (Some(_), io::ErrorKind::TimedOut) => ConnectionFailure::HandshakeTimeout,
        (Some(_), _) => ConnectionFailure::Handshake,
    };
    metrics.lost_connection(name, failure);
    match peer {
        Some(peer) => debug!(port = name, %peer, %error, "a connection came to nothing"),
        None => warn!(port = name, %error, "no connection can be accepted; it is tried again"),
    }
}
