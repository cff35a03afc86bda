//! One Envoy as its workers see it: clocks, shared data, callouts; and the record of how requests ended.

use std::cell::{Cell, RefCell};

use super::control_plane::ControlPlane;
use super::exchange::Ended;
use super::network::Network;
use super::shared_data::SharedData;
use crate::config::Config;
use crate::now::Now;

/// What all workers of one Envoy share.
#[derive(Debug)]
pub(super) struct Envoy {
    pub(super) config: Config,
    pub(super) shared: SharedData,
    pub(super) network: RefCell<Network>,
    pub(super) control_plane: RefCell<ControlPlane>,
    pub(super) now_ms: Cell<u64>,
    /// How far Envoy's wall clock is off.
    pub(super) clock_off_ms: Cell<i64>,
    /// Raised whenever somebody else may have touched shared data.
    pub(super) turn: Cell<u64>,
    /// Requests that ended since the oracle last looked.
    pub(super) ended: RefCell<Vec<Ended>>,
    /// Streams that the filter ended since then.
    pub(super) reset: RefCell<Vec<u32>>,
}

/// The wall clock when the monotonic one stood at zero.
const EPOCH_MS: u64 = 1_800_000_000_000;

impl Envoy {
    pub(super) fn new(config: Config, seed: u64, now_ms: u64) -> Self {
        Self {
            config,
            shared: SharedData::default(),
            network: RefCell::new(Network::new(seed)),
            control_plane: RefCell::new(ControlPlane::new(now_ms)),
            now_ms: Cell::new(now_ms),
            clock_off_ms: Cell::new(0),
            turn: Cell::new(0),
            ended: RefCell::default(),
            reset: RefCell::default(),
        }
    }

    /// Both clocks as the filter reads them.
    pub(super) fn now(&self) -> Now {
        Now {
            monotonic_ms: self.now_ms.get(),
            unix_ms: self
                .unix_ms()
                .saturating_add_signed(self.clock_off_ms.get()),
        }
    }

    /// The control plane's wall clock, which is right.
    pub(super) fn unix_ms(&self) -> u64 {
        EPOCH_MS + self.now_ms.get()
    }
}
