//! The MCP server as a program of its own: `mcp-server --listen 127.0.0.1:3000`. See `stack::mcp_server`.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use stack::mcp_server::{McpServer, Pace};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// A small MCP server (Streamable HTTP) to try a gateway with.
#[derive(Parser)]
struct Args {
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Written with the address, as `ip:port`, once the server listens.
    #[arg(long)]
    ready_file: Option<PathBuf>,
    /// Milliseconds that the tool `count` waits before each number.
    #[arg(long, default_value_t = 500)]
    count_every_ms: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    // Listened for before the server is announced ready, so that no signal is lost.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;

    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("cannot listen on {} (--listen)", args.listen))?;
    let pace = Pace::Every(Duration::from_millis(args.count_every_ms));
    let server = McpServer::serve(listener, pace)?;
    tracing::info!(url = server.url(), "serving MCP");
    if let Some(path) = &args.ready_file {
        announce_ready(path, server.addr())?;
    }

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    server.stop();
    Ok(())
}

/// Appears whole: whoever waits for the file never reads half an address.
fn announce_ready(path: &std::path::Path, addr: SocketAddr) -> anyhow::Result<()> {
    let temporary = path.with_extension("tmp");
    std::fs::write(&temporary, addr.to_string())
        .and_then(|()| std::fs::rename(&temporary, path))
        .with_context(|| format!("cannot write {} (--ready-file)", path.display()))
}
