//! A proxy that changes nothing and writes everything down. One stands before the gateway and one behind it, so that what
//! the gateway did is the difference of what the two have seen.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper::header::HeaderMap;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::noted_body::NotedBody;
use crate::loopback_server::{Body, LoopbackServer};

/// A running tap.
#[derive(Debug)]
pub(super) struct Tap {
    server: LoopbackServer,
    record: Record,
}

/// One request and its answer, as far as they got.
#[derive(Debug, Clone, Default)]
pub(super) struct Exchange {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) answer: Option<Answer>,
}

/// An answer, as far as it got.
#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// Whether it came to its own end.
    pub(super) whole: bool,
}

type Record = Arc<Mutex<Vec<Exchange>>>;

impl Tap {
    /// Starts one in front of `target`.
    pub(super) async fn start(target: SocketAddr) -> Self {
        let record = Record::default();
        let noted = Arc::clone(&record);
        let handler = move |request| forward(target, Arc::clone(&noted), request);
        Self {
            server: LoopbackServer::start(handler).await,
            record,
        }
    }

    /// Where it listens.
    pub(super) fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// All exchanges so far.
    pub(super) fn exchanges(&self) -> Vec<Exchange> {
        lock(&self.record).clone()
    }
}

async fn forward(
    target: SocketAddr,
    record: Record,
    request: Request<Incoming>,
) -> io::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let index = {
        let mut record = lock(&record);
        record.push(Exchange {
            method: head.method.to_string(),
            target: head.uri.to_string(),
            headers: head.headers.clone(),
            ..Exchange::default()
        });
        record.len() - 1
    };
    let stream = TcpStream::connect(target).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    // Ends when the sender and the answer's body are gone, and so does the connection: a client that leaves is passed on.
    tokio::spawn(connection);
    let requests = Arc::clone(&record);
    let body = noted(body, move |bytes| {
        if let Some(bytes) = bytes {
            lock(&requests)[index].body.extend_from_slice(bytes);
        }
    });
    let request = Request::from_parts(head, body);
    let response = sender
        .send_request(request)
        .await
        .map_err(io::Error::other)?;
    let (head, body) = response.into_parts();
    lock(&record)[index].answer = Some(Answer {
        status: head.status.as_u16(),
        headers: head.headers.clone(),
        // An answer without a body is never polled for its end.
        whole: body.is_end_stream(),
        ..Answer::default()
    });
    let body = noted(body, move |bytes| {
        if let Some(answer) = &mut lock(&record)[index].answer {
            match bytes {
                Some(bytes) => answer.body.extend_from_slice(bytes),
                None => answer.whole = true,
            }
        }
    });
    Ok(Response::from_parts(head, body))
}

fn noted(body: Incoming, note: impl Fn(Option<&[u8]>) + Send + Unpin + 'static) -> Body {
    NotedBody::new(body, note)
        .map_err(io::Error::other)
        .boxed_unsync()
}

fn lock(record: &Record) -> MutexGuard<'_, Vec<Exchange>> {
    record.lock().expect("the tap's record")
}
