//! Tests of the dashboard: a real Chromium, the real control plane, and a real Envoy for what a click changes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on stops with a clear message"
)]

mod attacks;
mod everywhere;
mod keys;
mod organisation;
mod servers;
mod session;
mod switch;
mod usage;
mod world;
