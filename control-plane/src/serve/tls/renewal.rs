//! Takes over renewed files while the port serves. Connections that stand keep what they were made with.

use std::time::Duration;

use axum_server::tls_rustls::RustlsConfig;
use tokio::{signal::unix::Signal, time::MissedTickBehavior};
use tracing::{info, warn};

use super::{Pems, TlsError, TlsFiles};

/// How often the files are looked at. Their content is compared, so that it does not matter whether they
/// were written, moved or linked to their place.
const INTERVAL: Duration = Duration::from_secs(5);

/// A port's TLS, and what it is made of.
#[derive(Debug)]
pub(in crate::serve) struct Renewal {
    files: TlsFiles,
    in_force: Pems,
    config: RustlsConfig,
    /// The trouble that the log was told of.
    told: Option<String>,
}

impl Renewal {
    /// Reads the files for the first time.
    pub(in crate::serve) fn begin(files: TlsFiles) -> Result<Self, TlsError> {
        let in_force = files.read()?;
        let config = RustlsConfig::from_config(files.configure(&in_force)?);
        Ok(Self {
            files,
            in_force,
            config,
            told: None,
        })
    }

    /// What the port serves with: always the latest.
    pub(in crate::serve) fn config(&self) -> RustlsConfig {
        self.config.clone()
    }

    /// Looks at the files now and then, and whenever `hangup` tells to.
    pub(in crate::serve) async fn keep(mut self, mut hangup: Signal) {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                // Who asks wants an answer, also the same one again.
                Some(()) = hangup.recv() => self.told = None,
            }
            match self.look() {
                Ok(()) => self.told = None,
                // Whoever renews may be between two files; and the old ones are good.
                Err(error) => self.warn(error.to_string()),
            }
        }
    }

    fn look(&mut self) -> Result<(), TlsError> {
        let pems = self.files.read()?;
        if pems != self.in_force {
            self.config.reload_from_config(self.files.configure(&pems)?);
            self.in_force = pems;
            info!(certificate = %self.files.certificate, "serving with renewed TLS files");
        }
        Ok(())
    }

    fn warn(&mut self, error: String) {
        if self.told.as_ref() != Some(&error) {
            warn!(%error, "the TLS files cannot be used; the old ones stay in force");
            self.told = Some(error);
        }
    }
}
