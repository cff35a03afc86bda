//! The server behind the gateway, as a recorder: it echoes each request as JSON, or streams what the test tells it to.
//! It speaks no MCP; for that there is `mcp_server`.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::{Request, Response};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;

use crate::deadline::{PATIENCE, eventually};
use crate::loopback_server::{Body, LoopbackServer, whole};

mod open_stream;
mod received;

pub use open_stream::OpenStream;
pub use received::Received;

/// A running upstream. It stops when this is dropped.
#[derive(Debug)]
pub struct Upstream {
    server: LoopbackServer,
    shared: Arc<Mutex<Shared>>,
    holding: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Shared {
    received: Vec<Received>,
    streaming: bool,
    /// Streams that the test has not asked for yet.
    streams: Vec<OpenStream>,
}

impl Upstream {
    /// Starts one that echoes.
    pub async fn start() -> Self {
        let shared = Arc::new(Mutex::new(Shared::default()));
        let holding = watch::Sender::new(false);
        let handler = {
            let (shared, held) = (Arc::clone(&shared), holding.subscribe());
            move |request| handle(Arc::clone(&shared), held.clone(), request)
        };
        Self {
            server: LoopbackServer::start(handler).await,
            shared,
            holding,
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// Every request whose body has arrived, in order.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.lock().received.clone()
    }

    /// The latest of them.
    ///
    /// # Panics
    /// When nothing has arrived.
    #[must_use]
    pub fn last(&self) -> Received {
        let last = self.lock().received.last().cloned();
        last.expect("the upstream has received nothing")
    }

    /// Empties the record.
    pub fn forget(&self) {
        self.lock().received.clear();
    }

    /// How many connections were ever accepted.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.server.connections()
    }

    /// From here on answers with an event stream that the test writes; see [`next_stream`](Self::next_stream).
    pub fn stream_answers(&self) {
        self.lock().streaming = true;
    }

    /// From here on keeps every answer back, or sends those it has kept back.
    pub fn hold_answers(&self, hold: bool) {
        self.holding.send_replace(hold);
    }

    /// The oldest stream opened that was not asked for yet; waits for one.
    pub async fn next_stream(&self) -> OpenStream {
        self.next_streams(1).await.remove(0)
    }

    /// The `count` oldest of them, in the order of their requests; waits until there are so many.
    pub async fn next_streams(&self, count: usize) -> Vec<OpenStream> {
        let what = format!("{count} streams are opened upstream");
        eventually(PATIENCE, &what, async || {
            let mut shared = self.lock();
            (shared.streams.len() >= count).then(|| shared.streams.drain(..count).collect())
        })
        .await
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        lock(&self.shared)
    }
}

async fn handle(
    shared: Arc<Mutex<Shared>>,
    mut held: watch::Receiver<bool>,
    request: Request<Incoming>,
) -> io::Result<Response<Body>> {
    let received = Received::read(request).await?;
    let echo = received.echo();
    let stream = {
        let mut shared = lock(&shared);
        shared.received.push(received.clone());
        shared.streaming.then(|| open_stream(&mut shared, received))
    };
    held.wait_for(|held| !held)
        .await
        .map_err(io::Error::other)?;
    let (content_type, body) = match stream {
        Some(body) => ("text/event-stream", body),
        None => ("application/json", whole(echo)),
    };
    Response::builder()
        .header("content-type", content_type)
        .body(body)
        .map_err(io::Error::other)
}

fn open_stream(shared: &mut Shared, request: Received) -> Body {
    let (writer, reader) = mpsc::channel::<io::Result<Frame<Bytes>>>(16);
    shared.streams.push(OpenStream::new(request, writer));
    StreamBody::new(ReceiverStream::new(reader)).boxed_unsync()
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().expect("the upstream's lock")
}
