//! How workers share what one of them learns: a small mark that all look at in each tick, and the table behind it, which
//! is read when the mark tells more than the time of a confirmation.

use super::{Feed, Mark};

impl Feed {
    /// Takes over what is shared: a mark, and the table that was written before it.
    pub(crate) fn follow(&mut self, mark: &Mark, table: impl FnOnce() -> Option<Self>) {
        if !self.mark.differs_in_time_only(mark)
            && let Some(table) = table()
        {
            self.merge(&table);
        }
        // The table is as old as the last change; the mark tells of what was confirmed since.
        if self.mark.differs_in_time_only(mark) {
            self.mark.confirmed_ms = mark.confirmed_ms.max(self.mark.confirmed_ms);
        }
    }

    /// Whether a shared table, as far as there is one, tells less than this. Other plugins can spoil it or put back an
    /// old one, and workers that start would learn nothing until the next change.
    pub(crate) fn is_beyond(&self, table: Option<&Self>) -> bool {
        let reach = |mark: &Mark| (mark.epoch, mark.revision, mark.incarnation.is_some());
        table.is_none_or(|table| reach(&table.mark) < reach(&self.mark))
    }
}

impl Mark {
    /// Whether both are the same but for when it was confirmed.
    fn differs_in_time_only(&self, other: &Self) -> bool {
        let timeless = |mark: &Self| (mark.epoch, mark.incarnation, mark.baseline, mark.revision);
        timeless(self) == timeless(other)
    }
}
