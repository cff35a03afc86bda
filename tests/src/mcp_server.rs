//! A real MCP server on the official Rust SDK: Streamable HTTP at `/mcp`, with sessions, tools, progress and
//! notifications. It is the upstream behind the gateway in `make run` and in the stack tests. It knows nothing of API
//! keys, and it does not try to be a scriptable fake.

use std::net::SocketAddr;
use std::sync::Arc;

use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

mod announcements;
mod bare_initialize;
mod pace;
mod tools;

pub use announcements::Announcements;
pub use pace::{Pace, Steps};

/// The path of the MCP endpoint on the server.
pub const MCP_PATH: &str = "/mcp";

/// A running MCP server. It stops, and ends its open streams, when this is dropped.
#[derive(Debug)]
pub struct McpServer {
    addr: SocketAddr,
    announcements: Announcements,
    sessions: Arc<LocalSessionManager>,
    stop: DropGuard,
}

impl McpServer {
    /// Starts on a free loopback port, counting without delay.
    pub async fn start() -> Self {
        Self::start_with(Pace::default()).await
    }

    /// Starts on a free loopback port, with the tool `count` counting at `pace`.
    pub async fn start_with(pace: Pace) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free loopback port for the MCP server");
        Self::serve(listener, pace).expect("the address of a bound listener")
    }

    /// Serves on a bound listener.
    ///
    /// # Errors
    /// When the listener's address cannot be read.
    pub fn serve(listener: TcpListener, pace: Pace) -> std::io::Result<Self> {
        let addr = listener.local_addr()?;
        let announcements = Announcements::default();
        let sessions = Arc::new(LocalSessionManager::default());
        let stop = CancellationToken::new();
        let service = service(&announcements, pace, &sessions, &stop);
        let router = axum::Router::new()
            .nest_service(MCP_PATH, service)
            .layer(axum::middleware::from_fn(bare_initialize::complete));
        let stopped = stop.clone().cancelled_owned();
        tokio::spawn(async move {
            let served = axum::serve(listener, router).with_graceful_shutdown(stopped);
            if let Err(error) = served.await {
                tracing::error!(%error, "the MCP server ended");
            }
        });
        Ok(Self {
            addr,
            announcements,
            sessions,
            stop: stop.drop_guard(),
        })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The endpoint's URL, without a gateway in between.
    pub fn url(&self) -> String {
        format!("http://{}{MCP_PATH}", self.addr)
    }

    /// Sends `notifications/tools/list_changed` to every session, unasked. Returns how many there are.
    pub fn announce(&self) -> usize {
        self.announcements.announce()
    }

    /// How many sessions are open.
    pub async fn sessions(&self) -> usize {
        self.sessions.sessions.read().await.len()
    }

    /// Stops the server at once, ending all open streams. Dropping does the same.
    pub fn stop(self) {
        drop(self.stop);
    }
}

fn service(
    announcements: &Announcements,
    pace: Pace,
    sessions: &Arc<LocalSessionManager>,
    stop: &CancellationToken,
) -> StreamableHttpService<tools::Tools, LocalSessionManager> {
    let announcements = announcements.clone();
    let config = StreamableHttpServerConfig::default()
        // The SDK answers 403 to any Host but localhost, against DNS rebinding. Behind a gateway the Host header is
        // whatever name the gateway is reached by, and browsers cannot reach this server past it.
        .disable_allowed_hosts()
        .with_cancellation_token(stop.child_token());
    StreamableHttpService::new(
        move || Ok(tools::Tools::new(announcements.clone(), pace.clone())),
        sessions.clone(),
        config,
    )
}

#[cfg(test)]
mod tests;
