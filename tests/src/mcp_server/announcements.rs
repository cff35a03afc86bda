//! Word to every session of the server at once. It carries no content: a session only learns that there was one.

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// More announcements than this between two polls of a session melt into one.
const BACKLOG: usize = 16;

/// The sending side; clones reach the same sessions.
#[derive(Debug, Clone)]
pub struct Announcements(broadcast::Sender<()>);

impl Default for Announcements {
    fn default() -> Self {
        Self(broadcast::channel(BACKLOG).0)
    }
}

impl Announcements {
    /// Tells every subscribed session, and returns how many there are.
    pub fn announce(&self) -> usize {
        self.0.send(()).unwrap_or(0)
    }

    pub(super) fn subscribe(&self) -> Subscription {
        Subscription(self.0.subscribe())
    }
}

/// One session's ear.
pub(super) struct Subscription(broadcast::Receiver<()>);

impl Subscription {
    /// Waits for the next announcement; `None` when the server is gone.
    pub(super) async fn next(&mut self) -> Option<()> {
        match self.0.recv().await {
            Ok(()) | Err(RecvError::Lagged(_)) => Some(()),
            Err(RecvError::Closed) => None,
        }
    }
}
