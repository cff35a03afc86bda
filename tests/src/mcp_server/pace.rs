//! How fast the tool `count` counts: by the clock for people to watch, or step by step under a test's control.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

/// What `count` waits for before each number.
#[derive(Debug, Clone)]
pub enum Pace {
    /// This long; zero counts without delay.
    Every(Duration),
    /// Until the holder of the [`Steps`] allows it.
    ByHand(Steps),
}

impl Default for Pace {
    fn default() -> Self {
        Self::Every(Duration::ZERO)
    }
}

impl Pace {
    /// A pace that allows no step until [`Steps::allow`] is called, and the handle to do so.
    pub fn by_hand() -> (Self, Steps) {
        let steps = Steps(Arc::new(Semaphore::new(0)));
        (Self::ByHand(steps.clone()), steps)
    }

    pub(super) async fn step(&self) {
        match self {
            Self::Every(pause) => tokio::time::sleep(*pause).await,
            Self::ByHand(Steps(allowed)) => {
                let permit = allowed.acquire().await;
                permit.expect("the semaphore is never closed").forget();
            }
        }
    }
}

/// Allows steps of a [`Pace::ByHand`].
#[derive(Debug, Clone)]
pub struct Steps(Arc<Semaphore>);

impl Steps {
    /// Allows `n` more numbers to be counted, over all calls of the tool.
    pub fn allow(&self, n: usize) {
        self.0.add_permits(n);
    }
}
