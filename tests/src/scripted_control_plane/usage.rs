//! What filters reported to a scripted control plane: each batch on record, each number of a sender counted once.

use std::collections::HashMap;

use edge_api::id::Id;
use edge_api::usage::{UsageBatch, UsageResponse, UsageRow};

use super::Fault;

/// The usage endpoint of a scripted control plane.
#[derive(Debug, Default)]
pub(super) struct Usage {
    /// Whether a batch is lost that meets it; the others are taken, whatever becomes of the answer.
    pub(super) fault: Fault,
    /// Answers that are to fail although the batch is taken.
    pub(super) answers_lost: bool,
    pub(super) batches: Vec<UsageBatch>,
    pub(super) rows: Vec<UsageRow>,
    taken: HashMap<Id, u64>,
}

impl Usage {
    /// Takes a batch, unless it was taken before.
    pub(super) fn take(&mut self, batch: UsageBatch) -> UsageResponse {
        let taken = self.taken.entry(batch.instance.clone()).or_default();
        if batch.sequence > *taken {
            *taken = batch.sequence;
            self.rows.extend(batch.rows.iter().cloned());
        }
        let sequence = *taken;
        self.batches.push(batch);
        UsageResponse { sequence }
    }
}
