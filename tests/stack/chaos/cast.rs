//! Who is on stage: projects, keys, and clients that go on asking whatever happens.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use stack::keys::mint_key;
use stack::real_control_plane::{NewKey, RealControlPlane};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, timeout};

use super::ledger::{Ledger, Who};
use crate::flips::connection::{Connection, request};

/// Connections, and how often each asks.
const CLIENTS: u32 = 24;
const INTERVAL: Duration = Duration::from_millis(60);
/// How often somebody comes with a good key that was not used before.
const ARRIVALS: Duration = Duration::from_millis(1_500);
const REGULARS: usize = 6;
const NEWCOMERS: usize = 60;
/// One is revoked in each calm, and one in most troubles.
const VICTIMS: usize = 24;
/// A request that takes this long hangs.
const HUNG: Duration = Duration::from_secs(10);

/// Projects and keys.
pub(super) struct Cast {
    locked: String,
    open: String,
    pub(super) regulars: Vec<NewKey>,
    newcomers: Vec<NewKey>,
    /// On a project of their own: a revocation has all keys of its project asked about anew.
    haunted: String,
    pub(super) victims: Vec<NewKey>,
    began: Instant,
    strangers: AtomicU64,
}

impl Cast {
    pub(super) fn hire(control_plane: &RealControlPlane) -> Arc<Self> {
        let org = control_plane.create_org("acme", None);
        let project = |name, require| control_plane.create_project(&org, name, Some(require));
        let locked = project("locked", true);
        let haunted = project("haunted", true);
        let keys = |project: &str, count| {
            (0..count)
                .map(|_| control_plane.create_key(project, "chaos", None))
                .collect()
        };
        Arc::new(Self {
            open: project("open", false),
            regulars: keys(&locked, REGULARS),
            newcomers: keys(&locked, NEWCOMERS),
            victims: keys(&haunted, VICTIMS),
            locked,
            haunted,
            began: Instant::now(),
            strangers: AtomicU64::new(0),
        })
    }

    /// The locked project of the regulars.
    pub(super) fn project(&self) -> &str {
        &self.locked
    }

    /// Clients that ask and have the ledger judge, until the set is dropped.
    pub(super) fn enter(self: &Arc<Self>, addr: SocketAddr, ledger: &Arc<Ledger>) -> JoinSet<()> {
        let mut clients = JoinSet::new();
        for number in 0..CLIENTS {
            let (cast, ledger) = (Arc::clone(self), Arc::clone(ledger));
            clients.spawn(async move {
                tokio::time::sleep(INTERVAL * number / CLIENTS).await;
                let mut client = Client {
                    addr,
                    connection: None,
                    ledger,
                };
                let mut ticks = tokio::time::interval(INTERVAL);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
                for turn in (number as usize * 5).. {
                    ticks.tick().await;
                    let (who, request) = cast.line(turn);
                    if !client.ledger.sleeps(who) {
                        client.ask(who, &request).await;
                    }
                }
            });
        }
        clients
    }

    /// Who asks what, by the number of the request.
    fn line(&self, turn: usize) -> (Who, Vec<u8>) {
        let (role, round) = (turn % 12, turn / 12);
        let keyed = |project: &str, key: &str| request(project, Some(key));
        match role {
            0..=3 => {
                let key = &self.regulars[(round * 4 + role) % self.regulars.len()];
                (Who::Regular, keyed(&self.locked, &key.raw))
            }
            4 | 5 => {
                let arrived = self.began.elapsed().as_millis() / ARRIVALS.as_millis();
                let arrived = usize::try_from(arrived).unwrap_or(usize::MAX);
                // Mostly the newest, so that it comes in the middle of a trouble too.
                let index = if role == 4 {
                    arrived
                } else {
                    round % (arrived + 1)
                };
                let key = &self.newcomers[index.min(NEWCOMERS - 1)];
                (Who::Newcomer, keyed(&self.locked, &key.raw))
            }
            6 if round.is_multiple_of(3) => {
                let number = self.strangers.fetch_add(1, Ordering::Relaxed);
                (Who::Stranger, keyed(&self.locked, &mint_key(number)))
            }
            6 | 7 => (Who::Keyless, request(&self.locked, None)),
            8 => (Who::Guest, request(&self.open, None)),
            9 | 10 => {
                let victim = (round * 2 + role) % self.victims.len();
                (
                    Who::Victim(victim),
                    keyed(&self.haunted, &self.victims[victim].raw),
                )
            }
            _ => (Who::Lost, request(&format!("nobody_{}", round % 20), None)),
        }
    }
}

struct Client {
    addr: SocketAddr,
    connection: Option<Connection>,
    ledger: Arc<Ledger>,
}

impl Client {
    async fn ask(&mut self, who: Who, request: &[u8]) {
        let reused = self.connection.is_some();
        match timeout(HUNG, self.try_ask(request)).await {
            Ok(Ok(reply)) => self.ledger.judge(who, reply),
            // Closed while it was idle. A client opens another one then.
            Ok(Err(error))
                if reused
                    && error.kind() == std::io::ErrorKind::ConnectionReset
                    && self.ledger.is_draining() =>
            {
                self.connection = None;
                if let Ok(reply) = self.try_ask(request).await {
                    self.ledger.judge(who, reply);
                }
            }
            Ok(Err(error)) => {
                self.connection = None;
                self.ledger
                    .complain(format!("{who:?}: the connection broke: {error}"));
            }
            Err(_) => {
                self.connection = None;
                self.ledger
                    .complain(format!("{who:?}: no answer within {HUNG:?}"));
            }
        }
    }

    async fn try_ask(
        &mut self,
        request: &[u8],
    ) -> std::io::Result<crate::flips::connection::Reply> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(Connection::open(self.addr).await?),
        };
        let reply = connection.ask(request).await?;
        if connection.is_closing() {
            self.connection = None;
        }
        Ok(reply)
    }
}
