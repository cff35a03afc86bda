//! The messages of the edge API: what the filter asks the control plane and what it is answered.
//!
//! Both sides compile this crate; the golden files in `golden/` hold the wire form still.
//! It also holds the shape of an API key ([`key_format`]), because the control plane mints what the
//! filter checks. It does no I/O.

pub mod changes;
pub mod check;
pub mod id;
pub mod key_format;
pub mod key_sha256;
pub mod usage;

/// Path of [`check`] on the edge API's port. `POST`.
pub const CHECK_PATH: &str = "/edge/v1/check";
/// Path of [`changes`] on the edge API's port. `GET`, query `after` and `wait_ms`.
pub const CHANGES_PATH: &str = "/edge/v1/changes";
/// Path of [`usage`] on the edge API's port. `POST`.
pub const USAGE_PATH: &str = "/edge/v1/usage";
