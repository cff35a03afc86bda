//! Looking for other processes' commits, so that their changes wake the long polls of this one.

use std::sync::Arc;

use tokio::{sync::Notify, time::timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{DatabaseUrl, Store, listen::listen};

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
            match self.look().await {
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
