//! A body on its way through that somebody takes notes of. It passes on what it gets, when it gets it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

/// The body; `note` is told of its bytes, and of its end with `None`.
pub(super) struct NotedBody<N> {
    body: Incoming,
    note: N,
}

impl<N: Fn(Option<&[u8]>)> NotedBody<N> {
    pub(super) fn new(body: Incoming, note: N) -> Self {
        Self { body, note }
    }
}

impl<N: Fn(Option<&[u8]>) + Unpin> Body for NotedBody<N> {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(bytes) = frame.data_ref() {
                    (self.note)(Some(bytes));
                }
                // Whoever knows that there is no more does not ask for it.
                if self.body.is_end_stream() {
                    (self.note)(None);
                }
            }
            Some(Err(_)) => {}
            None => (self.note)(None),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
