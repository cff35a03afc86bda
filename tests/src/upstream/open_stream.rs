//! The upstream's end of an event stream that is open through the gateway.

use std::io;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::body::Frame;
use tokio::sync::mpsc;

use super::Received;
use crate::deadline::within;

/// Writes the stream. Dropping it ends the stream in order.
#[derive(Debug)]
pub struct OpenStream {
    request: Received,
    writer: mpsc::Sender<io::Result<Frame<Bytes>>>,
}

impl OpenStream {
    pub(super) fn new(request: Received, writer: mpsc::Sender<io::Result<Frame<Bytes>>>) -> Self {
        Self { request, writer }
    }

    /// The request that it answers.
    #[must_use]
    pub fn request(&self) -> &Received {
        &self.request
    }

    /// Sends bytes as they are.
    ///
    /// # Panics
    /// When the reader is gone.
    pub async fn send(&self, bytes: impl Into<Bytes>) {
        let sent = self.writer.send(Ok(Frame::data(bytes.into()))).await;
        sent.expect("the stream's reader is gone");
    }

    /// Sends one event with this data.
    pub async fn send_event(&self, data: &str) {
        self.send(format!("data: {data}\n\n")).await;
    }

    /// Ends the stream in order.
    pub fn finish(self) {}

    /// Breaks the connection off.
    pub async fn cut(self) {
        let error = io::Error::new(io::ErrorKind::ConnectionReset, "cut by the test");
        drop(self.writer.send(Err(error)).await);
    }

    /// Waits until the gateway has let go of the stream, at most this long, and returns when it did.
    pub async fn closed_within(&self, deadline: Duration) -> Instant {
        within(deadline, "the stream is closed", self.writer.closed()).await;
        Instant::now()
    }

    /// Whether the gateway has let go of the stream.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.writer.is_closed()
    }
}
