//! What an answer of the change feed does to what is known. Answers may be late, repeated, cut or from a database that
//! was restored: when in doubt nothing is taken over, and the next question starts anew.

use edge_api::changes::ChangesResponse;

use super::{Feed, Incarnation, Mark};

/// A revision that no control plane has reached, so that asking for what comes after it tells where it stands. The
/// largest integer that every reader of JSON keeps whole.
pub(crate) const PROBE: u64 = (1 << 53) - 1;

/// An answer that contradicts itself or what is known. Ask with [`PROBE`] next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Doubt;

impl Feed {
    /// Takes over the answer to "what came after `after`", asked at `asked_ms` in this epoch. Tells whether following began
    /// anew.
    ///
    /// # Errors
    /// [`Doubt`] when the answer cannot be right, or not any more.
    pub(crate) fn handle_answer(
        &mut self,
        after: u64,
        answer: &ChangesResponse,
        asked_ms: u64,
    ) -> Result<bool, Doubt> {
        let incarnation = answer.incarnation.as_ref().map(Incarnation::of);
        let is_another = self.mark.tells_apart(incarnation);
        if answer.reset || is_another {
            // In an Envoy that was never told anything, what was read before that is as good as what is read then.
            let is_first = self.mark.confirmed_ms == 0 && self.mark.epoch > 0;
            if is_another || is_first || answer.revision < self.mark.revision {
                self.open_epoch(asked_ms);
            }
            self.mark.baseline = answer.revision;
            self.mark.revision = answer.revision;
            self.mark.confirmed_ms = asked_ms;
            self.mark.learn(incarnation);
            return Ok(true);
        }
        let honest = answer
            .changes
            .iter()
            .all(|change| change.revision <= answer.revision);
        // This answer is older than its question, or follows on something that nobody knows: what lies between is unknown.
        if !honest || answer.revision < after || after > self.mark.revision {
            return Err(Doubt);
        }
        for change in &answer.changes {
            self.note_change(&change.project_id, change.revision);
        }
        if answer.revision < self.mark.revision {
            // Somebody else's answer came first, and told all that this one does.
            return Ok(false);
        }
        self.mark.revision = answer.revision;
        self.mark.confirmed_ms = asked_ms.max(self.mark.confirmed_ms);
        // A control plane that tells for the first time was brought up to date. That is no reason to ask for everything
        // again: its answer went on in order from what is known, which is all that could be seen until now.
        self.mark.learn(incarnation);
        Ok(false)
    }

    /// Takes over what another worker knows, unless it is older.
    pub(crate) fn merge(&mut self, other: &Self) {
        if other.mark.order() < self.mark.order() {
            return;
        }
        let mut mark = other.mark;
        if self.mark.tells_apart(mark.incarnation) && mark.epoch == self.mark.epoch {
            // Two workers began the same epoch with different databases: whoever notices opens another one.
            self.changed.clone_from(&other.changed);
            mark.epoch = mark.epoch.saturating_add(1);
        } else if mark.epoch == self.mark.epoch {
            for (ours, theirs) in self.changed.iter_mut().zip(&other.changed) {
                *ours = (*theirs).max(*ours);
            }
            mark.baseline = mark.baseline.max(self.mark.baseline);
            mark.incarnation = mark.incarnation.or(self.mark.incarnation);
        } else {
            self.changed.clone_from(&other.changed);
        }
        self.mark = mark;
    }

    /// Lets nothing of before count any more. The epoch is later than any that this Envoy has ever seen, whoever has
    /// forgotten which: VMs die, and other plugins can spoil what is shared.
    pub(crate) fn open_epoch(&mut self, now_ms: u64) {
        self.changed.fill(0);
        let now_s = u32::try_from(now_ms / 1_000).unwrap_or(u32::MAX);
        self.mark.epoch = self.mark.epoch.saturating_add(1).max(now_s);
    }
}

impl Mark {
    /// Whether `other` has nothing to tell that this does not.
    pub(crate) fn is_ahead_of(&self, other: &Self) -> bool {
        self.order() > other.order()
    }

    /// Whether an answer of this incarnation is known to be of another database. One that tells none may be of any: of
    /// an older control plane, to which only the revision speaks.
    fn tells_apart(&self, incarnation: Option<Incarnation>) -> bool {
        matches!((self.incarnation, incarnation), (Some(ours), Some(theirs)) if ours != theirs)
    }

    fn learn(&mut self, incarnation: Option<Incarnation>) {
        self.incarnation = incarnation.or(self.incarnation);
    }

    fn order(&self) -> (u32, u64, u64) {
        (self.epoch, self.revision, self.confirmed_ms)
    }
}
