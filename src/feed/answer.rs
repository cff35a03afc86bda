//! What an answer of the change feed does to what is known. Answers may be late, repeated, cut or from a database that
//! was restored: when in doubt nothing is taken over, and the next question starts anew.

use edge_api::changes::ChangesResponse;

use super::{Feed, Mark};

/// A revision that no control plane has reached, so that asking for what comes after it tells where it stands. The
/// largest integer that every reader of JSON keeps whole.
pub(crate) const PROBE: u64 = (1 << 53) - 1;

/// An answer that contradicts itself or what is known. Ask with [`PROBE`] next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Doubt;

impl Feed {
    /// Takes over the answer to "what came after `after`", asked at `asked_ms`. Tells whether following began anew.
    ///
    /// # Errors
    /// [`Doubt`] when the answer cannot be right, or not any more.
    pub(crate) fn handle_answer(
        &mut self,
        after: u64,
        answer: &ChangesResponse,
        asked_ms: u64,
    ) -> Result<bool, Doubt> {
        if answer.reset {
            self.begin_anew(answer.revision, asked_ms);
            return Ok(true);
        }
        let honest = answer
            .changes
            .iter()
            .all(|change| change.revision <= answer.revision);
        // Somebody else's answer came first, or this one is older than its question: what lies between is unknown.
        if !honest || answer.revision < after || after != self.mark.revision {
            return Err(Doubt);
        }
        for change in &answer.changes {
            self.note_change(&change.project_id, change.revision);
        }
        self.mark.revision = answer.revision;
        self.mark.confirmed_ms = asked_ms.max(self.mark.confirmed_ms);
        Ok(false)
    }

    /// Takes over what another worker knows, unless it is older.
    pub(crate) fn merge(&mut self, other: &Self) {
        if other.mark.order() < self.mark.order() {
            return;
        }
        let mut baseline = other.mark.baseline;
        if other.mark.epoch == self.mark.epoch {
            for (ours, theirs) in self.changed.iter_mut().zip(&other.changed) {
                *ours = (*theirs).max(*ours);
            }
            baseline = baseline.max(self.mark.baseline);
        } else {
            self.changed.clone_from(&other.changed);
        }
        self.mark = Mark {
            baseline,
            ..other.mark
        };
    }

    fn begin_anew(&mut self, revision: u64, asked_ms: u64) {
        let went_back = revision < self.mark.revision;
        if went_back {
            self.changed.fill(0);
        }
        self.mark = Mark {
            epoch: self.mark.epoch.wrapping_add(u32::from(went_back)),
            baseline: revision,
            revision,
            confirmed_ms: asked_ms,
        };
    }
}

impl Mark {
    /// Whether `other` has nothing to tell that this does not.
    pub(crate) fn is_ahead_of(&self, other: &Self) -> bool {
        self.order() > other.order()
    }

    fn order(&self) -> (u32, u64, u64) {
        (self.epoch, self.revision, self.confirmed_ms)
    }
}
