//! Counts of requests that are alike, in a bounded number of rows.

use std::cell::Cell;

use edge_api::id::Id;
use edge_api::usage::Outcome;

/// Rows with a project. What comes on top is counted by outcome alone, which is bounded by itself.
pub(super) const ROWS: usize = 2_000;

/// Requests by project, key and what became of them.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// In order of [`Row::who`].
    rows: Vec<Row>,
    /// How many of them have a project.
    attributed: usize,
}

/// A request as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counted<'a> {
    pub(crate) project: &'a Id,
    pub(crate) key_id: Option<&'a Id>,
    pub(crate) outcome: Outcome,
    pub(crate) preview: Option<Outcome>,
}

/// Where requests like this one were last counted: spares looking for the row. May be wrong.
#[derive(Debug, Default)]
pub(crate) struct Hint(Cell<usize>);

/// Requests that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// `None` for those that found no room.
    pub(super) project: Option<Id>,
    pub(super) key_id: Option<Id>,
    pub(super) outcome: Outcome,
    pub(super) preview: Option<Outcome>,
    pub(super) count: u64,
    pub(super) first_ms: u64,
    pub(super) last_ms: u64,
}

/// What makes requests alike.
type Who<'a> = (Option<&'a Id>, Option<&'a Id>, Outcome, Option<Outcome>);

impl Tally {
    /// Counts one request. Tells whether there was room to tell it apart.
    pub(super) fn count(&mut self, counted: &Counted<'_>, hint: &Hint, now_ms: u64) -> bool {
        let own = (
            Some(counted.project),
            counted.key_id,
            counted.outcome,
            counted.preview,
        );
        let hinted = self.rows.get_mut(hint.0.get());
        if let Some(row) = hinted.filter(|row| row.who() == own) {
            row.add(now_ms);
            return true;
        }
        let standing = self.find(&own);
        let fits = standing.is_ok() || self.attributed < ROWS;
        let (who, place) = if fits {
            (own, standing)
        } else {
            let nameless = (None, None, counted.outcome, counted.preview);
            (nameless, self.find(&nameless))
        };
        let place = place.unwrap_or_else(|place| {
            self.attributed += usize::from(fits);
            self.rows.insert(place, Row::new(who, now_ms));
            place
        });
        if let Some(row) = self.rows.get_mut(place) {
            row.add(now_ms);
        }
        hint.0.set(place);
        fits
    }

    fn find(&self, who: &Who<'_>) -> Result<usize, usize> {
        self.rows.binary_search_by(|row| row.who().cmp(who))
    }

    /// Takes out all rows.
    pub(super) fn take(&mut self) -> Vec<Row> {
        self.attributed = 0;
        std::mem::take(&mut self.rows)
    }
}

impl Row {
    fn new((project, key_id, outcome, preview): Who<'_>, now_ms: u64) -> Self {
        Self {
            project: project.cloned(),
            key_id: key_id.cloned(),
            outcome,
            preview,
            count: 0,
            first_ms: now_ms,
            last_ms: now_ms,
        }
    }

    fn who(&self) -> Who<'_> {
        (
            self.project.as_ref(),
            self.key_id.as_ref(),
            self.outcome,
            self.preview,
        )
    }

    fn add(&mut self, now_ms: u64) {
        self.count += 1;
        self.last_ms = now_ms;
    }
}
