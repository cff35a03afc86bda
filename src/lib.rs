//! A proxy-wasm filter that enforces API keys in front of MCP servers, decided per project.
//!
//! The way of a request is one direction: `host` reads it, `authenticator` decides with what `route`,
//! `key_source` and the caches know, `host` applies the [`authenticator::Step`]. Only `host` names the
//! SDK, reads a clock or calls Envoy; everything else is data and `now` in, a decision out.

mod api_key;
mod authenticator;
mod budget;
mod by_id;
mod cache;
mod check;
mod config;
mod denial;
mod feed;
mod flights;
mod freshness;
mod host;
mod identity;
mod key_kind;
mod key_source;
mod now;
mod oauth_dead_end;
mod outcome;
mod reachability;
mod request;
mod route;
#[cfg(test)]
mod simulation;
mod streams;
mod usage;
