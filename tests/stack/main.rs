//! Stack tests: real Envoys, black box. What goes in and comes out is HTTP; what the other parts saw is on record.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on stops with a clear message"
)]

mod attacks;
mod bounds;
mod caching;
mod chaos;
mod configuration;
mod dead_end;
mod doctor;
mod edge_tls;
mod faults;
mod feed;
mod flips;
mod image;
mod mcp_session;
mod outcomes;
mod real_control_plane;
mod reference_bootstrap;
mod restored;
mod smoke;
mod telemetry;
mod usage;
mod waiting;
mod wire;
