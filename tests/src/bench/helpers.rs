//! The servers that Envoy asks while it is measured, on a thread of their own whose processor time is known.

use std::sync::mpsc;
use std::time::Duration;

use edge_api::check::Verdict;
use tokio::runtime::{Builder, Runtime};

use super::authorizer::Authorizer;
use super::cpu::{self, Cores, Meter};
use super::row::MANY;
use super::subject::{PROJECT, Servers};
use crate::gateway::{Gateway, GatewayOptions};
use crate::keys::mint_key;
use crate::scripted_control_plane::ScriptedControlPlane;

/// Longer than any run.
const TTL_MS: u64 = 600_000;
/// How often the record of calls is emptied, which nobody reads here and which would fill the memory.
const TIDY: Duration = Duration::from_millis(50);

/// The running servers.
#[derive(Debug)]
pub(super) struct Helpers {
    runtime: Runtime,
    meter: Meter,
    cores: Cores,
    http_authorizer: Authorizer,
    grpc_authorizer: Authorizer,
    control_plane: ScriptedControlPlane,
    uncached_control_plane: ScriptedControlPlane,
}

impl Helpers {
    /// Starts them all on the load's core. The control planes know [`MANY`] keys.
    pub(super) fn start(cores: Cores) -> Self {
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
            let cached = control_plane(TTL_MS, MANY).await;
            let uncached = control_plane(0, MANY).await;
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
            cores,
            meter: meter.recv().expect("the worker's meter"),
            http_authorizer,
            grpc_authorizer,
            control_plane,
            uncached_control_plane,
        }
    }

    /// Starts an Envoy on its core, above what else runs there if that is allowed.
    pub(super) fn start_narrow(&self, options: GatewayOptions) -> Gateway {
        self.start_envoy(&[self.cores.envoy], options)
    }

    /// Starts an Envoy on both cores.
    pub(super) fn start_wide(&self, options: GatewayOptions) -> Gateway {
        self.start_envoy(&[self.cores.envoy, self.cores.load], options)
    }

    fn start_envoy(&self, cores: &[usize], options: GatewayOptions) -> Gateway {
        let gateway = cpu::on_cores(cores, self.cores.load, || {
            self.runtime.block_on(Gateway::start(options))
        });
        cpu::prefer(gateway.process_id());
        gateway
    }

    /// Where what is measured runs, and where they and the load do.
    pub(super) fn cores(&self) -> Cores {
        self.cores
    }

    /// Their addresses.
    pub(super) fn servers(&self) -> Servers {
        Servers {
            control_plane: self.control_plane.addr(),
            uncached_control_plane: self.uncached_control_plane.addr(),
            http_authorizer: self.http_authorizer.addr(),
            grpc_authorizer: self.grpc_authorizer.addr(),
        }
    }

    /// The processor time of them all.
    pub(super) fn meter(&self) -> &Meter {
        &self.meter
    }

    /// The runtime on whose other threads they run.
    pub(super) fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}

/// How many checks are on record; calls of the change feed are none.
pub(super) fn checks(control_plane: &ScriptedControlPlane) -> usize {
    let calls = control_plane.calls();
    calls.iter().filter(|call| call.check.is_some()).count()
}

/// A control plane with the locked project and so many keys.
pub(super) async fn control_plane(ttl_ms: u64, keys: u64) -> ScriptedControlPlane {
    let control_plane = ScriptedControlPlane::start().await;
    control_plane.set_ttl_ms(ttl_ms);
    control_plane.set_project(PROJECT, true);
    for seed in 0..keys {
        let key_id = format!("key_{seed}");
        control_plane.set_key(&mint_key(seed), &key_id, PROJECT, Verdict::Valid, None);
    }
    control_plane
}
