//! A small HTTP server on loopback whose handler may also misbehave: close the connection instead of answering, or break
//! off in the middle of a body. HTTP/1.1 and cleartext HTTP/2. What is answered is the caller's business.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use crate::deadline::{PATIENCE, eventually};

/// A body that may end in an error, which breaks the connection.
pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// A running server. It stops listening and cuts its connections when this is dropped.
#[derive(Debug)]
pub(crate) struct LoopbackServer {
    addr: SocketAddr,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl LoopbackServer {
    /// Listens on a port of the kernel's choice.
    pub(crate) async fn start<H, F>(handler: H) -> Self
    where
        H: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = io::Result<Response<Body>>> + Send + 'static,
    {
        Self::start_on(SocketAddr::from(([127, 0, 0, 1], 0)), handler).await
    }

    /// Listens on `addr`, waiting a while for the port to become free. An `Err` of the handler closes the connection.
    pub(crate) async fn start_on<H, F>(addr: SocketAddr, handler: H) -> Self
    where
        H: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = io::Result<Response<Body>>> + Send + 'static,
    {
        let listener = eventually(PATIENCE, &format!("{addr} is free"), async || {
            TcpListener::bind(addr).await.ok()
        })
        .await;
        let connections = Arc::new(AtomicUsize::new(0));
        Self {
            addr: listener.local_addr().expect("a bound address"),
            task: tokio::spawn(accept(listener, Arc::clone(&connections), handler)),
            connections,
        }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// How many connections were ever accepted.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Stops, and returns when nobody listens on the port any more.
    pub(crate) async fn stop(mut self) {
        self.task.abort();
        drop((&mut self.task).await);
    }
}

impl Drop for LoopbackServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A body of known bytes.
pub(crate) fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// Accepts until aborted; the connections are in a set of this task's, so they end with it.
async fn accept<H, F>(listener: TcpListener, count: Arc<AtomicUsize>, handler: H)
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = io::Result<Response<Body>>> + Send + 'static,
{
    let mut open = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        count.fetch_add(1, Ordering::Relaxed);
        let handler = handler.clone();
        open.spawn(async move {
            drop(stream.set_nodelay(true));
            let server = auto::Builder::new(TokioExecutor::new());
            let serving = server.serve_connection(TokioIo::new(stream), service_fn(handler));
            // An error is what a scripted fault looks like from this side.
            drop(serving.await);
        });
        while open.try_join_next().is_some() {}
    }
}
