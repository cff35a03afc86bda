//! Waiting for something to become true, never for time to pass.

use std::time::{Duration, Instant};

/// How long the rig waits for things that normally take milliseconds: long enough for a busy machine, short enough for
/// a test that hangs to say what it hangs on.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Asks `probe` again and again until it answers `Some`, and panics naming `what` when `deadline` has passed.
pub async fn eventually<T>(
    deadline: Duration,
    what: &str,
    mut probe: impl AsyncFnMut() -> Option<T>,
) -> T {
    let started = Instant::now();
    let mut pause = Duration::from_millis(2);
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        assert!(
            started.elapsed() < deadline,
            "{what}: did not come true within {deadline:?}"
        );
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// Runs `work`, and panics naming `what` when it takes longer than `deadline`.
pub async fn within<T>(deadline: Duration, what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(deadline, work).await {
        Ok(done) => done,
        Err(_) => panic!("{what}: not done within {deadline:?}"),
    }
}
