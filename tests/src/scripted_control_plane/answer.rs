//! The handler of a scripted control plane: records the call, then answers or fails as the script says.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use edge_api::CHECK_PATH;
use edge_api::check::CheckRequest;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::AUTHORIZATION;
use hyper::{Method, Request, Response};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{Call, Fault, Shared};
use crate::loopback_server::{Body, whole};

type Answer = Pin<Box<dyn Future<Output = io::Result<Response<Body>>> + Send>>;

pub(super) fn handler(
    shared: &Arc<Shared>,
) -> impl Fn(Request<Incoming>) -> Answer + Clone + Send + 'static {
    let shared = Arc::clone(shared);
    move |request| Box::pin(handle(Arc::clone(&shared), request))
}

async fn handle(shared: Arc<Shared>, request: Request<Incoming>) -> io::Result<Response<Body>> {
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
        let script = shared.script.lock().expect("the script's lock");
        (script.fault, script.answer(check))
    };
    let right = serde_json::to_vec(&right).expect("an answer is JSON");
    misbehave(fault, right).await
}

async fn misbehave(fault: Fault, right: Vec<u8>) -> io::Result<Response<Body>> {
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
        let mut script = self.script.lock().expect("the script's lock");
        let bearer = format!("Bearer {}", script.edge_token);
        let is_check = head.method == Method::POST && head.uri.path() == CHECK_PATH;
        let call = Call {
            at: Instant::now(),
            method: head.method.to_string(),
            target: head.uri.to_string(),
            authorized: head
                .headers
                .get(AUTHORIZATION)
                .is_some_and(|value| value.as_bytes() == bearer.as_bytes()),
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
