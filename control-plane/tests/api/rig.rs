//! What the tests stand on: the app in this process, and the program as another process.

pub(crate) mod app;
mod client;
pub(crate) mod clock;
pub(crate) mod program;
pub(crate) mod reply;
