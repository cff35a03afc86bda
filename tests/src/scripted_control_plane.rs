//! An edge API under the test's command: it answers checks and polls from a script, misbehaves on demand and records
//! every call. It decides like the real control plane does, but stores nothing and has no public API.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use edge_api::check::Verdict;
use edge_api::id::Id;
use edge_api::usage::{UsageBatch, UsageRow};
use tokio::sync::watch;

use crate::deadline::{PATIENCE, eventually};
use crate::keys;
use crate::loopback_server::LoopbackServer;

mod answer;
mod call;
mod fault;
mod feed;
mod history;
mod poll;
mod script;
mod usage;

pub use call::Call;
pub use fault::Fault;
pub use feed::HeldFeed;
pub use poll::Poll;

use script::{KeyRow, Script};

/// The edge token that it expects unless told otherwise.
pub const EDGE_TOKEN: &str = "edge-token-of-the-rig";

/// A running control plane. Clones command the same one; it stops when the last is dropped.
#[derive(Debug, Clone)]
pub struct ScriptedControlPlane {
    addr: SocketAddr,
    shared: Arc<Shared>,
    server: Arc<Mutex<Option<LoopbackServer>>>,
}

/// What the handler and the test both reach.
#[derive(Debug)]
struct Shared {
    script: Mutex<Script>,
    /// Whether checks are being held back.
    held: watch::Sender<bool>,
    /// Wakes the open polls: something that concerns them may have changed.
    stirred: watch::Sender<()>,
}

/// While this lives, checks are recorded but not answered.
#[derive(Debug)]
#[must_use = "dropping it lets the checks go"]
pub struct Held {
    shared: Arc<Shared>,
}

impl ScriptedControlPlane {
    /// Starts one that knows no project and answers with a TTL of 30 s.
    pub async fn start() -> Self {
        let shared = Arc::new(Shared {
            script: Mutex::new(Script::new(EDGE_TOKEN)),
            held: watch::Sender::new(false),
            stirred: watch::Sender::new(()),
        });
        let server = LoopbackServer::start(answer::handler(&shared)).await;
        Self {
            addr: server.addr(),
            shared,
            server: Arc::new(Mutex::new(Some(server))),
        }
    }

    /// Where it listens; the same after a [`restart`](Self::restart).
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Adds or changes a project.
    pub fn set_project(&self, project: &str, require_mcp_api_key: bool) {
        self.change(|script| script.set_project(id(project), Some(require_mcp_api_key)));
    }

    /// Makes a project unknown.
    pub fn remove_project(&self, project: &str) {
        self.change(|script| script.set_project(id(project), None));
    }

    /// Adds an MCP server, or moves it to another project.
    pub fn set_server(&self, server: &str, project: &str) {
        self.change(|script| script.set_server(id(server), id(project)));
    }

    /// Adds or changes a key: `verdict` for its own project, `other_project` for all others. A valid one expires at
    /// `expires_at`, in milliseconds since 1970.
    pub fn set_key(
        &self,
        raw_key: &str,
        key_id: &str,
        project: &str,
        verdict: Verdict,
        expires_at: Option<u64>,
    ) {
        let row = KeyRow {
            id: id(key_id),
            project: id(project),
            verdict,
            expires_at,
        };
        self.change(|script| script.set_key(keys::sha256(raw_key), row));
    }

    /// Calls keys valid past their expiry from here on, as a clock that is far behind would.
    pub fn stop_expiring(&self) {
        self.script().expires = false;
    }

    /// How long answers may be served, in milliseconds.
    pub fn set_ttl_ms(&self, ttl_ms: u64) {
        self.script().ttl_ms = ttl_ms;
    }

    /// The database's revision. Each change of a project, server or key raises it by one.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.script().history.revision()
    }

    /// Sets the revision that checks are answered with until the next change, to play a replica that lags. The change
    /// feed does not lag with it.
    pub fn set_revision(&self, revision: u64) {
        self.script().checks_lag_at = Some(revision);
    }

    /// Which database it is, as its feed tells.
    #[must_use]
    pub fn incarnation(&self) -> Id {
        self.script().history.incarnation()
    }

    /// Whether its feed tells which database it is. One of before there were incarnations does not.
    pub fn tell_incarnation(&self, tells: bool) {
        self.script().history.tells_incarnation = tells;
    }

    /// Goes back to the database as it was at `revision`; 1 is the empty one. It is another incarnation then, and the next
    /// change takes the revision after it, a second time.
    ///
    /// # Panics
    /// When `revision` is not in the past.
    pub fn restore(&self, revision: u64) {
        self.change(|script| script.restore(revision));
    }

    /// Forgets the change log but for its latest `keep` rows: who has seen less is told to reset.
    pub fn prune_changes(&self, keep: usize) {
        self.change(|script| script.history.prune(keep));
    }

    /// Misbehaves in this way towards checks that are answered from here on; [`Fault::None`] makes it well again. The
    /// change feed has [a fault of its own](Self::set_feed_fault).
    pub fn set_fault(&self, fault: Fault) {
        self.script().fault = fault;
    }

    /// The bearer token that calls must carry.
    pub fn set_edge_token(&self, token: &str) {
        token.clone_into(&mut self.script().edge_token);
    }

    /// Every call since the start, or since [`forget_calls`](Self::forget_calls), in order of arrival. Polls of the
    /// change feed are [recorded apart](Self::feed_polls).
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.script().calls.clone()
    }

    /// Empties the record.
    pub fn forget_calls(&self) {
        self.script().calls.clear();
    }

    /// Waits until `count` calls, or more, are on record.
    pub async fn wait_for_calls(&self, count: usize) -> Vec<Call> {
        eventually(PATIENCE, &format!("{count} calls"), async || {
            let calls = self.calls();
            (calls.len() >= count).then_some(calls)
        })
        .await
    }

    /// Loses every batch of usage in this way from here on; [`Fault::None`] takes them again.
    pub fn set_usage_fault(&self, fault: Fault) {
        self.script().usage.fault = fault;
    }

    /// Takes batches of usage from here on, but cuts the connection in place of the answer; or answers again.
    pub fn lose_usage_answers(&self, lost: bool) {
        self.script().usage.answers_lost = lost;
    }

    /// Every batch of usage that was taken, repeated ones too.
    #[must_use]
    pub fn usage_batches(&self) -> Vec<UsageBatch> {
        self.script().usage.batches.clone()
    }

    /// The rows of all batches, each batch once.
    #[must_use]
    pub fn usage_rows(&self) -> Vec<UsageRow> {
        self.script().usage.rows.clone()
    }

    /// Holds back every answer to a check until the guard is released or dropped.
    pub fn hold(&self) -> Held {
        self.shared.held.send_replace(true);
        Held {
            shared: Arc::clone(&self.shared),
        }
    }

    /// How many connections were accepted since it was last started.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.lock_server()
            .as_ref()
            .map_or(0, LoopbackServer::connections)
    }

    /// Cuts all connections, those of open polls too, and stops listening: connecting is refused from here on.
    pub async fn stop(&self) {
        let server = self.lock_server().take();
        if let Some(server) = server {
            server.stop().await;
        }
    }

    /// Listens again on the same port, with the same script.
    pub async fn restart(&self) {
        self.stop().await;
        let server = LoopbackServer::start_on(self.addr, answer::handler(&self.shared)).await;
        *self.lock_server() = Some(server);
    }

    fn change(&self, edit: impl FnOnce(&mut Script)) {
        edit(&mut self.script());
        self.shared.stir();
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.shared.script()
    }

    fn lock_server(&self) -> MutexGuard<'_, Option<LoopbackServer>> {
        self.server.lock().expect("the server's lock")
    }
}

impl Held {
    /// Lets the held answers go.
    pub fn release(self) {}
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shared.held.send_replace(false);
    }
}

impl Shared {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().expect("the script's lock")
    }

    fn stir(&self) {
        self.stirred.send_replace(());
    }
}

fn id(text: &str) -> Id {
    Id::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}
