//! The change feed's state in Envoy's shared data: a mark that every worker reads at each tick, the table behind it,
//! and the lease of the worker that polls. Three values per control plane.

use std::rc::Rc;

use proxy_wasm::hostcalls;

use crate::cache::Seal;
use crate::feed::lease::Lease;
use crate::feed::{Feed, Mark};

/// How often a write is tried again when another worker writes too.
const ATTEMPTS: usize = 4;

/// Where the feed's state lies.
#[derive(Debug)]
pub(super) struct SharedFeed {
    seal: Rc<Seal>,
    mark: String,
    table: String,
    lease: String,
}

impl SharedFeed {
    pub(super) fn new(seal: Rc<Seal>) -> Self {
        let name = |what| format!("mcp-key-auth/3/feed/{:016x}/{what}", seal.namespace());
        Self {
            mark: name("mark"),
            table: name("table"),
            lease: name("lease"),
            seal,
        }
    }

    /// The lease as it stands, and the number that a write must name.
    pub(super) fn lease(&self) -> (Option<Lease>, Option<u32>) {
        let (bytes, cas) = load(&self.lease);
        let body = bytes
            .as_deref()
            .and_then(|b| self.seal.unwrap(&self.lease, b));
        (body.and_then(Lease::from_bytes), cas)
    }

    /// Writes the lease, unless somebody else has since.
    pub(super) fn set_lease(&self, lease: Lease, cas: Option<u32>) {
        let bytes = self.seal.wrap(&self.lease, &lease.to_bytes());
        // Should another worker have been first, the next look tells.
        hostcalls::set_shared_data(&self.lease, Some(&bytes), cas).ok();
    }

    /// Takes over what other workers have learnt. Costs one small read when that is nothing. What stands there and is
    /// older than what this worker knows was put back by another plugin, or written by a worker that had been told
    /// nothing else: it is told again.
    pub(super) fn follow(&self, feed: &mut Feed) {
        let Some(mark) = self.shared_mark() else {
            return;
        };
        if mark != feed.mark {
            feed.follow(&mark, || self.shared_table());
            if feed.mark.is_ahead_of(&mark) {
                self.publish(feed, false);
            }
        }
    }

    /// Tells the other workers. The table goes first: whoever reads the mark finds a table that is at least as new.
    pub(super) fn publish(&self, feed: &mut Feed, table_changed: bool) {
        if table_changed || feed.is_beyond(self.shared_table().as_ref()) {
            for _ in 0..ATTEMPTS {
                let (bytes, cas) = load(&self.table);
                let shared = bytes
                    .as_deref()
                    .and_then(|b| self.seal.unwrap(&self.table, b));
                if let Some(shared) = shared.and_then(Feed::from_bytes) {
                    feed.merge(&shared);
                }
                let bytes = self.seal.wrap(&self.table, &feed.to_bytes());
                if hostcalls::set_shared_data(&self.table, Some(&bytes), cas).is_ok() {
                    break;
                }
            }
        }
        for _ in 0..ATTEMPTS {
            let (_, cas) = load(&self.mark);
            if self
                .shared_mark()
                .is_some_and(|mark| mark.is_ahead_of(&feed.mark))
            {
                return;
            }
            let bytes = self.seal.wrap(&self.mark, &feed.mark.to_bytes());
            if hostcalls::set_shared_data(&self.mark, Some(&bytes), cas).is_ok() {
                return;
            }
        }
    }

    /// Whether no worker of this Envoy has ever told anything.
    pub(super) fn is_untouched(&self) -> bool {
        load(&self.mark) == (None, None)
    }

    fn shared_mark(&self) -> Option<Mark> {
        let (bytes, _) = load(&self.mark);
        let body = self.seal.unwrap(&self.mark, bytes.as_deref()?)?;
        Mark::split(body).map(|(mark, _)| mark)
    }

    fn shared_table(&self) -> Option<Feed> {
        let (bytes, _) = load(&self.table);
        Feed::from_bytes(self.seal.unwrap(&self.table, bytes.as_deref()?)?)
    }
}

fn load(name: &str) -> (Option<Vec<u8>>, Option<u32>) {
    hostcalls::get_shared_data(name).unwrap_or((None, None))
}
