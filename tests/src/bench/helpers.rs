//! The servers that Envoy asks while it is measured, on a thread of their own whose processor time is known.

use std::sync::mpsc;
use std::time::Duration;

use edge_api::check::Verdict;
use tokio::runtime::{Builder, Runtime};

use super::authorizer::Authorizer;
use super::cpu::{self, Cores, Meter};
use super::row::MANY;
use super::subject::{PROJECT, Servers};
use crate::keys::mint_key;
use crate::scripted_control_plane::ScriptedControlPlane;

/// Longer than any run.
const TTL_MS: u64 = 600_000;
/// How often the record of calls is emptied, which nobody reads here and which would fill the memory.
const TIDY: Duration = Duration::from_millis(50);

/// The running servers.
#[derive(Debug)]
pub struct Helpers {
    runtime: Runtime,
    meter: Meter,
    http_authorizer: Authorizer,
    grpc_authorizer: Authorizer,
    control_plane: ScriptedControlPlane,
    uncached_control_plane: ScriptedControlPlane,
}

impl Helpers {
    /// Starts them all on the load's core. The control planes know [`MANY`] keys.
    pub fn start(cores: Cores) -> Self {
        let (told, meter) = mpsc::channel();
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .on_thread_start(move || {
                cpu::pin(&[cores.load]);
                drop(told.send(Meter::of_this_thread()));
            })
            .build()
            .expect("a runtime");
        let helpers = runtime.block_on(async {
            let cached = control_plane(TTL_MS).await;
            let uncached = control_plane(0).await;
            for control_plane in [cached.clone(), uncached.clone()] {
                tokio::spawn(async move {
                    loop {
                        tokio::time::sleep(TIDY).await;
                        control_plane.forget_calls();
                    }
                });
            }
            (
                Authorizer::http().await,
                Authorizer::grpc().await,
                cached,
                uncached,
            )
        });
        let (http_authorizer, grpc_authorizer, control_plane, uncached_control_plane) = helpers;
        Self {
            runtime,
            meter: meter.recv().expect("the worker's meter"),
            http_authorizer,
            grpc_authorizer,
            control_plane,
            uncached_control_plane,
        }
    }

    /// Their addresses.
    #[must_use]
    pub fn servers(&self) -> Servers {
        Servers {
            control_plane: self.control_plane.addr(),
            uncached_control_plane: self.uncached_control_plane.addr(),
            http_authorizer: self.http_authorizer.addr(),
            grpc_authorizer: self.grpc_authorizer.addr(),
        }
    }

    /// The processor time of them all.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// The runtime on whose other threads they run.
    #[must_use]
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}

/// A control plane with the locked project and its keys.
pub async fn control_plane(ttl_ms: u64) -> ScriptedControlPlane {
    let control_plane = ScriptedControlPlane::start().await;
    control_plane.set_ttl_ms(ttl_ms);
    control_plane.set_project(PROJECT, true);
    for seed in 0..MANY {
        let key_id = format!("key_{seed}");
        control_plane.set_key(&mint_key(seed), &key_id, PROJECT, Verdict::Valid, None);
    }
    control_plane
}
