//! The model: what was true at the control plane, and since when. Everything else is checked against this list.

use edge_api::changes::{Change, ChangesResponse};
use edge_api::check::{CheckRequest, CheckResponse, Project, Subject, Verdict};
use edge_api::id::Id;

use super::cast::{PROJECTS, incarnation, project, server};
use super::snapshot::{KeyState, Life, Snapshot};
use crate::feed::{Incarnation, Mark};

/// How long it lets answers be served.
const TTL_MS: u64 = 60_000;

/// All that was ever true.
#[derive(Debug)]
pub(super) struct ControlPlane {
    /// In the order of time; the last one is the present.
    pub(super) history: Vec<Snapshot>,
    /// Changes per generation of the database, each with all that led to it.
    changes: Vec<Vec<(u64, usize)>>,
    /// The oldest revision from which a poll can go on.
    kept_after: u64,
    /// Whether it tells which database it has. An older one does not.
    pub(super) tells_incarnation: bool,
}

/// What its owners do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Deed {
    Toggle(usize),
    CreateProject(usize),
    CreateKey(usize),
    RevokeKey(usize),
    SwitchKey(usize),
    /// Moves a key's expiry to so many milliseconds from now.
    Expire(usize, u64),
}

impl ControlPlane {
    pub(super) fn new(now_ms: u64) -> Self {
        let keys = std::array::from_fn(|k| KeyState {
            home: [1, 1, 2, 0, 1, 3][k],
            life: if k == 4 {
                Life::Uncreated
            } else {
                Life::Active
            },
            expires_at_ms: None,
        });
        Self {
            history: vec![Snapshot {
                since_ms: now_ms,
                generation: 0,
                revision: 10,
                locked: [Some(false), Some(true), Some(true), None],
                keys,
            }],
            changes: vec![Vec::new()],
            kept_after: 10,
            tells_incarnation: true,
        }
    }

    pub(super) fn present(&self) -> &Snapshot {
        self.history.last().unwrap()
    }

    /// Carries out `deed` and commits it.
    pub(super) fn commit(&mut self, deed: Deed, now_ms: u64, unix_ms: u64) -> usize {
        let mut next = self.present().clone();
        let project = match deed {
            Deed::Toggle(p) => {
                next.locked[p] = next.locked[p].map(|locked| !locked);
                p
            }
            Deed::CreateProject(p) => {
                next.locked[p].get_or_insert(true);
                p
            }
            Deed::CreateKey(k) => {
                if next.keys[k].life == Life::Uncreated {
                    next.keys[k].life = Life::Active;
                }
                next.keys[k].home
            }
            Deed::RevokeKey(k) => {
                next.keys[k].life = Life::Revoked;
                next.keys[k].home
            }
            Deed::SwitchKey(k) => {
                next.keys[k].life = match next.keys[k].life {
                    Life::Active => Life::Disabled,
                    // So that a long run does not run out of keys.
                    Life::Disabled | Life::Revoked => Life::Active,
                    Life::Uncreated => Life::Uncreated,
                };
                next.keys[k].home
            }
            Deed::Expire(k, in_ms) => {
                next.keys[k].expires_at_ms = Some(unix_ms + in_ms);
                next.keys[k].home
            }
        };
        next.since_ms = now_ms;
        next.revision += 1;
        let generation = next.generation as usize;
        self.changes[generation].push((next.revision, project));
        self.history.push(next);
        project
    }

    /// Drops the log: whoever is behind must start over.
    pub(super) fn prune(&mut self) {
        self.kept_after = self.present().revision;
    }

    /// Goes back to the state of `back` snapshots ago, as far as that has a lower revision.
    pub(super) fn restore(&mut self, back: usize, now_ms: u64) -> bool {
        let older = &self.history[self.history.len().saturating_sub(back + 1)];
        if older.revision >= self.present().revision {
            return false;
        }
        let generation = self.present().generation + 1;
        let restored = Snapshot {
            since_ms: now_ms,
            generation,
            ..older.clone()
        };
        let mut changes = self.changes[older.generation as usize].clone();
        changes.retain(|(revision, _)| *revision <= restored.revision);
        self.kept_after = self.kept_after.min(restored.revision);
        self.changes.push(changes);
        self.history.push(restored);
        true
    }

    /// The last revision up to `revision` at which `project` changed, in a generation of the database.
    pub(super) fn last_change(&self, project: usize, generation: u32, revision: u64) -> u64 {
        let changes = self.changes.get(generation as usize);
        changes
            .into_iter()
            .flatten()
            .filter(|(at, p)| *p == project && *at <= revision)
            .map(|(at, _)| *at)
            .max()
            .unwrap_or(0)
    }

    /// The generation of the database that a filter follows; `None` when it cannot be told.
    pub(super) fn generation_of(&self, mark: &Mark) -> Option<u32> {
        let generations = 0..=self.present().generation;
        if mark.incarnation.is_none() && *generations.end() == 0 {
            return Some(0);
        }
        let is = |g: &u32| mark.incarnation == Some(Incarnation::of(&incarnation(*g)));
        generations.rev().find(is)
    }

    /// Whether a filter follows the database that there is.
    pub(super) fn is_followed_at(&self, mark: &Mark) -> bool {
        self.generation_of(mark) == Some(self.present().generation)
    }

    /// The answer to a poll, and whether a poll that came when the database was of generation `since` need not wait.
    pub(super) fn changes_after(&self, after: u64, since: u32) -> (ChangesResponse, bool) {
        let revision = self.present().revision;
        let reset = after > revision || after < self.kept_after;
        let log = &self.changes[self.present().generation as usize];
        let mut changes: Vec<Change> = (0..PROJECTS)
            .filter_map(|p| {
                let last = log
                    .iter()
                    .rfind(|(at, changed)| *changed == p && *at > after)?;
                Some(Change {
                    project_id: project(p),
                    revision: last.0,
                })
            })
            .collect();
        changes.sort_by_key(|change| change.revision);
        if reset {
            changes.clear();
        }
        let generation = self.present().generation;
        let is_another = self.tells_incarnation && generation != since;
        let news = reset || !changes.is_empty() || is_another;
        (
            ChangesResponse {
                incarnation: self.tells_incarnation.then(|| incarnation(generation)),
                revision,
                changes,
                reset,
            },
            news,
        )
    }

    /// The answer to a check.
    pub(super) fn check(&self, request: &CheckRequest, unix_ms: u64) -> CheckResponse {
        let present = self.present();
        let found = subject_project(&request.subject).and_then(|p| Some((p, present.locked[p]?)));
        let key = found
            .zip(request.key_sha256)
            .map(|((p, _), sha)| present.key(sha, p, unix_ms));
        let rest = key
            .as_ref()
            .filter(|key| key.verdict == Verdict::Valid)
            .and_then(|key| key.expires_at)
            .map_or(u64::MAX, |at| at.saturating_sub(unix_ms));
        CheckResponse {
            revision: present.revision,
            project: found.map(|(p, locked)| Project {
                id: project(p),
                require_mcp_api_key: locked,
            }),
            key,
            ttl_ms: TTL_MS.min(rest),
        }
    }
}

/// The project that a subject names, whether it exists or not.
pub(super) fn subject_project(subject: &Subject) -> Option<usize> {
    let is = |id: &Id, name: fn(usize) -> Id| (0..PROJECTS).find(|p| name(*p) == *id);
    match subject {
        Subject::ProjectId(id) => is(id, project),
        Subject::ServerId(id) => is(id, server),
    }
}
