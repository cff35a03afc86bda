//! The handler of a scripted control plane: records the call or poll, then answers or fails as the script says.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::Query;
use bytes::Bytes;
use edge_api::changes::{ChangesQuery, MAX_WAIT_MS};
use edge_api::check::CheckRequest;
use edge_api::{CHANGES_PATH, CHECK_PATH, USAGE_PATH};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::AUTHORIZATION;
use hyper::{HeaderMap, Method, Request, Response};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::timeout_at;
use tokio_stream::wrappers::ReceiverStream;

use super::feed::Reply;
use super::script::Script;
use super::{Call, Fault, Poll, Shared};
use crate::loopback_server::{Body, whole};

type Answer = Pin<Box<dyn Future<Output = io::Result<Response<Body>>> + Send>>;

pub(super) fn handler(
    shared: &Arc<Shared>,
) -> impl Fn(Request<Incoming>) -> Answer + Clone + Send + 'static {
    let shared = Arc::clone(shared);
    move |request| Box::pin(handle(Arc::clone(&shared), request))
}

async fn handle(shared: Arc<Shared>, request: Request<Incoming>) -> io::Result<Response<Body>> {
    if request.method() == Method::POST && request.uri().path() == USAGE_PATH {
        return answer_usage(&shared, request).await;
    }
    match poll_query(&request) {
        Some(query) => answer_poll(&shared, &request, query).await,
        None => answer_check(&shared, request).await,
    }
}

async fn answer_usage(shared: &Shared, request: Request<Incoming>) -> io::Result<Response<Body>> {
    let authorized = shared.script().authorizes(request.headers());
    let body = request.into_body().collect().await;
    let body = body.map_err(io::Error::other)?.to_bytes();
    let Ok(batch) = serde_json::from_slice(&body) else {
        return status(400);
    };
    if !authorized {
        return status(401);
    }
    let (fault, right) = {
        let usage = &mut shared.script().usage;
        match usage.fault {
            Fault::None if usage.answers_lost => {
                usage.take(batch);
                return Err(broken());
            }
            Fault::None => (Fault::None, Some(usage.take(batch))),
            fault => (fault, None),
        }
    };
    misbehave(fault, &right).await
}

/// What a request polls for; anything that is no well-formed poll is a call like any other.
fn poll_query(request: &Request<Incoming>) -> Option<ChangesQuery> {
    let polls = request.method() == Method::GET && request.uri().path() == CHANGES_PATH;
    let query = polls.then(|| Query::try_from_uri(request.uri()))?;
    query.ok().map(|Query(query)| query)
}

async fn answer_check(shared: &Shared, request: Request<Incoming>) -> io::Result<Response<Body>> {
    let call = shared.record(request).await?;
    let mut held = shared.held.subscribe();
    drop(held.wait_for(|held| !held).await);

    if !call.authorized {
        return status(401);
    }
    let Some(check) = &call.check else {
        return status(if call.target == CHECK_PATH { 400 } else { 404 });
    };
    // Read as late as possible: a change made while the call was held counts.
    let (fault, right) = {
        let script = shared.script();
        (script.fault, script.answer(check))
    };
    misbehave(fault, &right).await
}

async fn answer_poll(
    shared: &Shared,
    request: &Request<Incoming>,
    query: ChangesQuery,
) -> io::Result<Response<Body>> {
    let deadline = Instant::now() + Duration::from_millis(query.wait_ms.min(MAX_WAIT_MS));
    let mut stirred = shared.stirred.subscribe();
    let open = OpenPoll::record(shared, request, query);
    if !open.authorized {
        return status(401);
    }
    loop {
        stirred.mark_unchanged();
        let overdue = Instant::now() >= deadline;
        let reply = {
            let mut script = shared.script();
            let Script { feed, history, .. } = &mut *script;
            feed.reply(history, query, overdue)
        };
        match reply {
            Reply::Now(fault, answer) => return misbehave(fault, &answer).await,
            Reply::Later => drop(timeout_at(deadline.into(), stirred.changed()).await),
            Reply::Held => drop(stirred.changed().await),
        }
    }
}

async fn misbehave(fault: Fault, right: &impl Serialize) -> io::Result<Response<Body>> {
    let right = serde_json::to_vec(right).expect("an answer is JSON");
    match fault {
        Fault::None => json(right),
        Fault::Hang => {
            tokio::time::sleep(Fault::FOREVER).await;
            Err(broken())
        }
        Fault::Reset => Err(broken()),
        Fault::Status(code) => status(code),
        Fault::Garbage => json(b"\xff\x00 not json {".to_vec()),
        Fault::WrongSchema => json(br#"{"allowed":true,"revision":"soon"}"#.to_vec()),
        Fault::Empty => json(Vec::new()),
        Fault::Oversized(bytes) => {
            let mut padded = right;
            padded.resize(bytes.max(padded.len()), b' ');
            json(padded)
        }
        Fault::Delay(delay) => {
            tokio::time::sleep(delay).await;
            json(right)
        }
        Fault::CutBody => Ok(Response::new(cut_body())),
        Fault::Truncated => json(right[..right.len() / 2].to_vec()),
    }
}

impl Shared {
    async fn record(&self, request: Request<Incoming>) -> io::Result<Call> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let mut script = self.script();
        let is_check = head.method == Method::POST && head.uri.path() == CHECK_PATH;
        let call = Call {
            at: Instant::now(),
            method: head.method.to_string(),
            target: head.uri.to_string(),
            authorized: script.authorizes(&head.headers),
            check: is_check
                .then(|| serde_json::from_slice::<CheckRequest>(&body).ok())
                .flatten(),
            headers: head.headers,
            body: body.to_vec(),
        };
        script.calls.push(call.clone());
        Ok(call)
    }
}

/// A poll that is on record; it counts as open while this lives, also when its caller goes away.
struct OpenPoll<'a> {
    shared: &'a Shared,
    authorized: bool,
}

impl<'a> OpenPoll<'a> {
    fn record(shared: &'a Shared, request: &Request<Incoming>, query: ChangesQuery) -> Self {
        let mut script = shared.script();
        let authorized = script.authorizes(request.headers());
        script.feed.open += 1;
        let poll = Poll {
            at: Instant::now(),
            after: query.after,
            wait_ms: query.wait_ms,
            authorized,
            open: script.feed.open,
        };
        script.feed.polls.push(poll);
        Self { shared, authorized }
    }
}

impl Drop for OpenPoll<'_> {
    fn drop(&mut self) {
        self.shared.script().feed.open -= 1;
    }
}

impl Script {
    fn authorizes(&self, headers: &HeaderMap) -> bool {
        let bearer = format!("Bearer {}", self.edge_token);
        headers
            .get(AUTHORIZATION)
            .is_some_and(|value| value.as_bytes() == bearer.as_bytes())
    }
}

fn json(body: Vec<u8>) -> io::Result<Response<Body>> {
    Response::builder()
        .header("content-type", "application/json")
        .body(whole(body))
        .map_err(io::Error::other)
}

fn status(code: u16) -> io::Result<Response<Body>> {
    Response::builder()
        .status(code)
        .body(whole(Bytes::new()))
        .map_err(io::Error::other)
}

/// Headers and a first piece go out; then the error closes the connection.
fn cut_body() -> Body {
    let (pieces, body) = mpsc::channel(1);
    tokio::spawn(async move {
        drop(
            pieces
                .send(Ok(Frame::data(Bytes::from_static(b"{\"rev"))))
                .await,
        );
        // Without a pause the server would see the error before it has sent anything, and send nothing.
        tokio::time::sleep(Duration::from_millis(20)).await;
        drop(pieces.send(Err(broken())).await);
    });
    BodyExt::boxed_unsync(StreamBody::new(ReceiverStream::new(body)))
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "scripted fault")
}
