//! Looking for other processes' commits, so that their changes wake the long polls of this one.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Notify, time::timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{DatabaseUrl, Store, StoreError, listen::listen};

/// How long one look may take. A database whose host is gone answers nothing, for as long as TCP hopes.
const LOOK_TIME: Duration = Duration::from_secs(2);

impl Store {
    /// Looks for other processes' commits until `shutdown`. Run it once per process that serves.
    ///
    /// PostgreSQL tells of each commit. The database is asked now and then in any case: always with
    /// SQLite, which tells nobody, and with PostgreSQL for what was not heard.
    pub async fn follow(self, shutdown: CancellationToken) {
        let told = Arc::new(Notify::new());
        let listening = async {
            if let DatabaseUrl::Postgres(url) = &self.url {
                shutdown.run_until_cancelled(listen(url, &told)).await;
            }
        };
        tokio::join!(listening, self.ask(&told, &shutdown));
    }

    async fn ask(&self, told: &Notify, shutdown: &CancellationToken) {
        let interval = self.dialect().follow_interval();
        let mut reading = true;
        while shutdown
            .run_until_cancelled(timeout(interval, told.notified()))
            .await
            .is_some()
        {
            let looked = timeout(LOOK_TIME, self.look()).await;
            match looked.unwrap_or(Err(StoreError::Timeout)) {
                Ok(()) => {
                    if !reading {
                        info!("the revision can be read again");
                    }
                    reading = true;
                }
                Err(error) => {
                    if reading {
                        warn!(%error, "cannot read the revision; changes by other processes go unseen");
                    }
                    reading = false;
                }
            }
        }
    }
}
