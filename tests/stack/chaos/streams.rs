//! Event streams that stay open through the chaos, and whether events still arrive on them.

use std::time::Duration;

use stack::gateway::Gateway;
use stack::http::OpenAnswer;
use stack::upstream::{OpenStream, Upstream};

use super::cast::Cast;

/// An event that takes longer does not arrive any more.
const PROMPT: Duration = Duration::from_secs(5);

/// One stream for each regular's key: both ends.
pub(super) struct Streams(Vec<(OpenAnswer, OpenStream)>);

impl Streams {
    pub(super) async fn open(gateway: &Gateway, upstream: &Upstream, cast: &Cast) -> Self {
        let mut streams = Vec::new();
        for key in &cast.regulars {
            let call = gateway.call("GET", format!("/mcp/{}", cast.project()));
            let call = call.header("accept", "text/event-stream").key(&key.raw);
            let (answer, stream) = tokio::join!(call.open(), upstream.next_stream());
            assert_eq!(answer.status, 200);
            streams.push((answer, stream));
        }
        Self(streams)
    }

    /// Sends an event on each and reads it at the other end; tells how many are gone.
    pub(super) async fn count_gone(&mut self) -> usize {
        let mut gone = 0;
        for (answer, stream) in &mut self.0 {
            if stream.is_closed() {
                gone += 1;
                continue;
            }
            stream.send_event("still here").await;
            let piece = answer.next_piece_within(PROMPT).await;
            if !matches!(piece, Ok(Some(_))) {
                gone += 1;
            }
        }
        gone
    }
}
