//! The control plane: the settings API, API keys, and the edge API that the filter asks.
//!
//! `app` builds the two routers, `serve` runs them, `admin` works on the database from the command
//! line, and `store` is the only place with SQL. Enforcement itself happens in the filter, not here.

pub mod admin;
pub mod app;
pub mod body;
pub mod client;
pub mod clock;
pub mod config;
pub mod dashboard;
pub mod doctor;
pub mod edge;
pub mod error;
pub mod health;
pub mod key;
pub mod logging;
pub mod metrics;
pub mod model;
pub mod public;
pub mod random;
pub mod ready;
pub mod request_id;
pub mod request_log;
pub mod serve;
pub mod session_token;
pub mod store;
