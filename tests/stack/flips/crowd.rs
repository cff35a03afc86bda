//! Many clients at an even rate, on connections of which it is known which worker serves them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use stack::deadline::eventually;
use stack::gateway::Gateway;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::board::Board;
use super::connection::Connection;
use super::{PATIENCE, WORKERS};

/// How many connections each worker serves at least.
const PER_WORKER: usize = 8;

/// The connections, before they are used.
pub(super) struct Crowd {
    connections: Vec<(Connection, usize)>,
}

impl Crowd {
    /// Connects until every worker has its share.
    pub(super) async fn connect(gateway: &Gateway) -> Self {
        let mut connections = Vec::new();
        let mut served = accepted(gateway).await;
        let mut share = [0; WORKERS];
        while share.iter().any(|count| *count < PER_WORKER) {
            let connection = Connection::open(gateway.addr())
                .await
                .expect("a connection");
            let worker = eventually(PATIENCE, "a worker accepts", async || {
                let now = accepted(gateway).await;
                let worker = (0..WORKERS).find(|worker| now.get(worker) > served.get(worker));
                served = now;
                worker
            })
            .await;
            share[worker] += 1;
            connections.push((connection, worker));
            assert!(
                connections.len() < 200,
                "not every worker is reached: {share:?}"
            );
        }
        Self { connections }
    }

    pub(super) fn size(&self) -> usize {
        self.connections.len()
    }

    /// Sends what the board wants, `per_second` requests in all, until the set is dropped.
    pub(super) fn start(self, board: &Arc<Board>, per_second: u32) -> JoinSet<()> {
        let size = u32::try_from(self.connections.len()).expect("a small number");
        let interval = Duration::from_secs(1) * size / per_second;
        let mut clients = JoinSet::new();
        for (index, (connection, worker)) in self.connections.into_iter().enumerate() {
            let board = Arc::clone(board);
            clients.spawn(async move {
                // Spread over the interval, so that the load is even.
                let offset = interval * u32::try_from(index).unwrap_or(0) / size;
                tokio::time::sleep(offset).await;
                serve(connection, (index, worker), &board, interval).await;
            });
        }
        clients
    }
}

async fn serve(
    mut connection: Connection,
    client: (usize, usize),
    board: &Board,
    interval: Duration,
) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    for turn in client.0.. {
        ticks.tick().await;
        let (subject, request) = board.pick(turn);
        match connection.ask(&request).await {
            Ok(reply) => board.judge(client, subject, reply),
            Err(error) => return board.complain(format!("a connection broke: {error}")),
        }
    }
}

/// How many connections each worker has accepted.
async fn accepted(gateway: &Gateway) -> BTreeMap<usize, u64> {
    let stats = gateway.stats("listener.").await;
    (0..WORKERS)
        .map(|worker| {
            let end = format!(".worker_{worker}.downstream_cx_total");
            let mut stats = stats.iter();
            let found = stats.find(|(name, _)| name.ends_with(&end));
            (worker, found.map_or(0, |(_, count)| *count))
        })
        .collect()
}
