//! How many requests each project and key made, and what became of them, until the control plane has taken the count.
//!
//! Bounded whatever comes: a [`Tally`] of so many rows, what does not fit there is counted without its project, and as
//! many rows again that are being handed over, a batch at a time. A batch goes out again and again under its number until it is answered, and the control plane
//! counts each number once: nothing is lost or doubled while the VM lives.

mod tally;

use edge_api::id::Id;
use edge_api::usage::{MAX_ROWS, Outcome, UsageBatch, UsageRow};

pub(crate) use self::tally::{Counted, Hint, Row, Tally};
use crate::authenticator::Decision;
use crate::denial::{Denial, InvalidKey};
use crate::now::Now;
use crate::outcome::{self, Allowed};

/// An empty batch tells at least so often that its sender lives, and what it enforces.
const HEARTBEAT_MS: u64 = 30_000;

/// What one worker has counted and not yet handed over.
#[derive(Debug)]
pub(crate) struct Usage {
    instance: Id,
    interval_ms: u64,
    tally: Tally,
    /// What was counted before and is still to be handed over: all of it goes before anything that comes meanwhile, or
    /// busy keys would keep others from ever being told.
    leaving: Vec<Row>,
    /// The number of the last batch made.
    sequence: u64,
    /// The last batch, unless it was taken: its number is that of `sequence`.
    unanswered: Option<Vec<UsageRow>>,
    /// What the last batch said is in force.
    told: Option<u64>,
    /// Before this moment nothing is sent.
    next_ms: u64,
    heartbeat_ms: u64,
}

impl Usage {
    /// `instance` names this VM alone. `jitter` spreads over the interval what all workers would do at the same moment.
    /// An interval of 0 is never.
    pub(crate) fn new(instance: Id, interval_ms: u64, jitter: u8, now: Now) -> Self {
        let next_ms = now.monotonic_ms + interval_ms * u64::from(jitter) / 256;
        Self {
            instance,
            interval_ms,
            tally: Tally::default(),
            leaving: Vec::new(),
            sequence: 0,
            unanswered: None,
            told: None,
            next_ms,
            heartbeat_ms: next_ms.min(now.monotonic_ms + HEARTBEAT_MS),
        }
    }

    /// Counts one request. Tells whether there was room to tell it apart.
    pub(crate) fn count(&mut self, counted: &Counted<'_>, hint: &Hint, now: Now) -> bool {
        self.interval_ms == 0 || self.tally.count(counted, hint, now.monotonic_ms)
    }

    /// Whether it is time for a batch.
    pub(crate) fn is_due(&self, now: Now) -> bool {
        self.interval_ms > 0 && now.monotonic_ms >= self.next_ms.min(self.heartbeat_ms)
    }

    /// The batch that is to be sent now, if there is anything to tell. `in_force` is the revision that this worker
    /// enforces.
    pub(crate) fn next_batch(
        &mut self,
        envoy: Id,
        in_force: Option<u64>,
        now: Now,
    ) -> Option<UsageBatch> {
        if !self.is_due(now) {
            return None;
        }
        self.next_ms = now.monotonic_ms + self.interval_ms;
        if self.unanswered.is_none() {
            if self.leaving.is_empty() {
                self.leaving = self.tally.take();
            }
            let news = in_force != self.told || now.monotonic_ms >= self.heartbeat_ms;
            if self.leaving.is_empty() && !news {
                return None;
            }
            let rest = self.leaving.len().saturating_sub(MAX_ROWS);
            let rows = self.leaving.split_off(rest);
            self.unanswered = Some(rows.iter().map(|row| row.to_wire(now)).collect());
            self.sequence += 1;
        }
        self.told = in_force;
        self.heartbeat_ms = now.monotonic_ms + HEARTBEAT_MS;
        Some(UsageBatch {
            envoy,
            instance: self.instance.clone(),
            sequence: self.sequence,
            in_force,
            rows: self.unanswered.clone()?,
        })
    }

    /// The control plane has taken everything up to the batch `sequence`.
    pub(crate) fn handle_answer(&mut self, sequence: u64, now: Now) {
        if sequence < self.sequence {
            return;
        }
        self.unanswered = None;
        if !self.leaving.is_empty() {
            self.next_ms = now.monotonic_ms;
        }
    }
}

impl Row {
    fn to_wire(&self, now: Now) -> UsageRow {
        let unix_ms = |at_ms: u64| {
            now.unix_ms
                .saturating_sub(now.monotonic_ms.saturating_sub(at_ms))
        };
        UsageRow {
            project_id: self.project.clone(),
            key_id: self.key_id.clone(),
            outcome: self.outcome,
            preview: self.preview,
            count: self.count,
            first_at: unix_ms(self.first_ms),
            last_at: unix_ms(self.last_ms),
        }
    }
}

impl<'a> Counted<'a> {
    /// How a request is counted on which this was decided; `None` when no project is known to which it could be put
    /// down.
    pub(crate) fn of(decision: &'a Decision) -> Option<Self> {
        let outcome = to_wire(decision.outcome())?;
        let preview = decision.preview.as_ref();
        let previewed = preview.and_then(|preview| to_wire(preview.ruling.outcome()));
        // A key of another project is none of this one's owner's business.
        let shows_key = [Some(outcome), previewed]
            .iter()
            .all(|&outcome| outcome != Some(Outcome::DeniedKeyOfOtherProject));
        let refused_key = || preview.and_then(|preview| preview.refused_key.as_ref());
        Some(Self {
            project: decision.project.as_ref()?,
            key_id: decision
                .key_id
                .as_ref()
                .or_else(refused_key)
                .filter(|_| shows_key),
            outcome,
            preview: previewed,
        })
    }
}

/// `None` for outcomes that are no project's.
fn to_wire(outcome: outcome::Outcome) -> Option<Outcome> {
    match outcome {
        outcome::Outcome::Allowed(allowed) => match allowed {
            Allowed::ValidKey => Some(Outcome::Allowed),
            Allowed::NotRequired => Some(Outcome::AllowedNotRequired),
            Allowed::Preflight
            | Allowed::Exempt
            | Allowed::Unmatched
            | Allowed::ControlPlaneFault => None,
        },
        outcome::Outcome::Denied(denial) => match denial {
            Denial::MissingKey => Some(Outcome::DeniedMissingKey),
            Denial::AmbiguousKey => Some(Outcome::DeniedAmbiguousKey),
            Denial::OtherKind(_) => Some(Outcome::DeniedMalformedKey),
            Denial::InvalidKey(reason) => Some(match reason {
                InvalidKey::Malformed => Outcome::DeniedMalformedKey,
                InvalidKey::Unknown => Outcome::DeniedUnknownKey,
                InvalidKey::Revoked => Outcome::DeniedRevokedKey,
                InvalidKey::Expired => Outcome::DeniedExpiredKey,
                InvalidKey::Disabled => Outcome::DeniedDisabledKey,
                InvalidKey::OtherProject => Outcome::DeniedKeyOfOtherProject,
            }),
            Denial::UnmatchedPath
            | Denial::DeadEnd(_)
            | Denial::UnknownProject
            | Denial::ControlPlaneFault
            | Denial::OverLimit => None,
        },
        outcome::Outcome::Abandoned => None,
    }
}

#[cfg(test)]
mod tests;
