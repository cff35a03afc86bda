//! The change log, read once for all whom the same change woke and who wait after the same revision:
//! of a thousand gateways that follow, nearly all ask the same at the same moment.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OnceCell;

use super::{Changes, Standing, Store, StoreError};

/// What was read since the latest standing was announced.
#[derive(Debug, Default)]
pub(super) struct Woken(Mutex<Since>);

#[derive(Debug, Default)]
struct Since {
    standing: Option<Standing>,
    /// By the revision that callers wait after; there are no more of them than callers were waiting.
    changes: HashMap<u64, Arc<OnceCell<Changes>>>,
}

impl Woken {
    /// Where the changes after `after` are, or will be, as they have been since `standing`.
    fn place(&self, after: u64, standing: &Standing) -> Arc<OnceCell<Changes>> {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if since.standing.as_ref() != Some(standing) {
            since.standing = Some(standing.clone());
            since.changes.clear();
        }
        Arc::clone(since.changes.entry(after).or_default())
    }
}

impl Store {
    /// As [`changes_after`](Self::changes_after), for a caller that [`standings`](Self::standings)
    /// told of `standing`: what others have read since it was announced will do.
    pub async fn changes_since(
        &self,
        standing: &Standing,
        after: u64,
    ) -> Result<Changes, StoreError> {
        let place = self.woken.place(after, standing);
        // When the one that reads is cancelled, or fails, the next one reads.
        let changes = place.get_or_try_init(|| self.changes_after(after)).await?;
        Ok(changes.clone())
    }
}
