//! Envoy's admin interface: readiness, addresses, statistics, memory.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;

use super::options::ADMIN_ADDRESS;
use crate::http::{Answer, Call};

/// The way to it.
#[derive(Debug, Clone, Copy)]
pub struct Admin {
    addr: SocketAddr,
}

impl Admin {
    /// The address that Envoy has written into its folder, if it has yet.
    pub(super) fn announced(dir: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(dir.join(ADMIN_ADDRESS)).ok()?;
        let addr = text.trim().parse().ok()?;
        Some(Self { addr })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(self) -> SocketAddr {
        self.addr
    }

    /// A `GET` of any of its pages.
    pub async fn get(self, target: &str) -> Answer {
        Call::new(self.addr, "GET", target).send().await
    }

    /// A `POST` to any of its pages.
    pub async fn post(self, target: &str) -> Answer {
        Call::new(self.addr, "POST", target).body("").send().await
    }

    /// All counters and gauges.
    pub(super) async fn stats(self) -> BTreeMap<String, u64> {
        let page = self.get("/stats?format=json").await.json();
        let stats = page["stats"].as_array().into_iter().flatten();
        stats
            .filter_map(|stat| Some((stat["name"].as_str()?.to_owned(), stat["value"].as_u64()?)))
            .collect()
    }

    /// Bytes in use on the heap.
    pub(super) async fn memory(self) -> u64 {
        let page = self.get("/memory").await.json();
        let allocated = page["allocated"]
            .as_str()
            .and_then(|text| text.parse().ok());
        allocated.unwrap_or_else(|| panic!("/memory has no number `allocated`: {page}"))
    }

    /// Whether Envoy has finished starting.
    pub(super) async fn is_ready(self) -> bool {
        let ready = Call::new(self.addr, "GET", "/ready").try_send().await;
        ready.is_ok_and(|answer| answer.status == 200)
    }

    /// Where the only listener listens.
    pub(super) async fn listener(self) -> Option<SocketAddr> {
        let listeners = Call::new(self.addr, "GET", "/listeners?format=json");
        let page: Value = listeners.try_send().await.ok()?.json();
        let address = &page["listener_statuses"][0]["local_address"]["socket_address"];
        let ip = address["address"].as_str()?.parse().ok()?;
        let port = u16::try_from(address["port_value"].as_u64()?).ok()?;
        Some(SocketAddr::new(ip, port))
    }
}
