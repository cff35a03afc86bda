//! Everything that a test of the gate needs, started together: a scripted control plane, a recording upstream, and the
//! gateway between them.

use std::time::Duration;

use crate::gateway::{Gateway, GatewayOptions};
use crate::scripted_control_plane::ScriptedControlPlane;
use crate::upstream::Upstream;

/// The three parts, running.
#[derive(Debug)]
pub struct Stack {
    /// The real Envoy with the filter.
    pub gateway: Gateway,
    /// What the filter asks.
    pub control_plane: ScriptedControlPlane,
    /// What lies behind the gateway.
    pub upstream: Upstream,
}

impl Stack {
    /// Starts the reference configuration.
    pub async fn start() -> Self {
        Self::with(|options| options).await
    }

    /// Starts with changed options; the addresses are filled in already.
    pub async fn with(change: impl FnOnce(GatewayOptions) -> GatewayOptions) -> Self {
        let control_plane = ScriptedControlPlane::start().await;
        let upstream = Upstream::start().await;
        let options = GatewayOptions::default()
            .control_plane(control_plane.addr())
            .upstream(upstream.addr());
        Self {
            gateway: Gateway::start(change(options)).await,
            control_plane,
            upstream,
        }
    }

    /// How many requests had this outcome, by the filter's counter.
    pub async fn outcomes(&self, outcome: &str) -> u64 {
        self.gateway.stat(&outcome_stat(outcome)).await
    }

    /// Waits until so many requests had this outcome.
    pub async fn wait_for_outcomes(&self, outcome: &str, count: u64, deadline: Duration) {
        let reached = |value| value >= count;
        self.gateway
            .wait_for_stat(&outcome_stat(outcome), reached, deadline)
            .await;
    }
}

fn outcome_stat(outcome: &str) -> String {
    format!("wasmcustom.mcp_key_auth.requests.outcome.{outcome}")
}
