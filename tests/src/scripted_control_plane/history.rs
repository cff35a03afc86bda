//! What changed, when, and how to take it back: the part of a control plane's database that the change feed is read
//! from.

use std::collections::HashMap;

use edge_api::changes::{Change, ChangesResponse};
use edge_api::id::Id;
use edge_api::key_sha256::KeySha256;

use super::script::KeyRow;

/// Every change since the start, in order. Pruning only hides the old ones, so that [`cut`](Self::cut) reaches back as
/// far as it likes.
#[derive(Debug)]
pub(super) struct History {
    revision: u64,
    events: Vec<Event>,
    /// Changes up to this revision are not told any more.
    pruned_to: u64,
    /// How often it was taken back.
    restored: u32,
    /// Whether it is told which database this is. A control plane of before there were incarnations does not.
    pub(super) tells_incarnation: bool,
}

#[derive(Debug)]
struct Event {
    revision: u64,
    projects: Vec<Id>,
    undo: Undo,
}

/// What stood there before a change; `None` for nothing.
#[derive(Debug)]
pub(super) enum Undo {
    Project(Id, Option<bool>),
    Server(Id, Option<Id>),
    Key(KeySha256, Option<KeyRow>),
}

impl History {
    /// An empty database.
    pub(super) fn new() -> Self {
        Self {
            revision: 1,
            events: Vec::new(),
            pruned_to: 0,
            restored: 0,
            tells_incarnation: true,
        }
    }

    /// Which database this is; another one after each [`cut`](Self::cut).
    pub(super) fn incarnation(&self) -> Id {
        Id::parse(&format!("incarnation-{}", self.restored)).expect("letters and a number")
    }

    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// Raises the revision by a change that touches these projects.
    pub(super) fn record(&mut self, projects: impl IntoIterator<Item = Id>, undo: Undo) {
        self.revision += 1;
        self.events.push(Event {
            revision: self.revision,
            projects: projects.into_iter().collect(),
            undo,
        });
    }

    /// Goes back to `revision`. What has to be undone comes out, the latest first.
    pub(super) fn cut(&mut self, revision: u64) -> impl Iterator<Item = Undo> + use<> {
        assert!(
            (1..=self.revision).contains(&revision),
            "revision {revision} is not in the past of {}",
            self.revision
        );
        let kept = self
            .events
            .partition_point(|event| event.revision <= revision);
        self.revision = revision;
        self.restored += 1;
        self.pruned_to = self.pruned_to.min(revision);
        let undone = self.events.split_off(kept);
        undone.into_iter().rev().map(|event| event.undo)
    }

    /// Tells no more than the latest `keep` changes from here on.
    pub(super) fn prune(&mut self, keep: usize) {
        let dropped = self.events.len().saturating_sub(keep);
        if let Some(last) = self.events[..dropped].last() {
            self.pruned_to = last.revision;
        }
    }

    /// The honest answer of the feed.
    pub(super) fn changes(&self, after: u64) -> ChangesResponse {
        let reset = after > self.revision || after < self.pruned_to;
        let mut latest = HashMap::new();
        if !reset {
            let new = self.events.iter().filter(|event| event.revision > after);
            for event in new {
                for project in &event.projects {
                    latest.insert(project.clone(), event.revision);
                }
            }
        }
        let mut changes: Vec<_> = latest
            .into_iter()
            .map(|(project_id, revision)| Change {
                project_id,
                revision,
            })
            .collect();
        changes.sort_by(|a, b| (a.revision, &a.project_id).cmp(&(b.revision, &b.project_id)));
        ChangesResponse {
            incarnation: self.tells_incarnation.then(|| self.incarnation()),
            revision: self.revision,
            changes,
            reset,
        }
    }
}
