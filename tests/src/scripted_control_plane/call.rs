//! One recorded call of the edge API.

use std::time::Instant;

use edge_api::check::{CheckRequest, Subject};
use hyper::HeaderMap;

/// A call as it arrived, whatever it was answered.
#[derive(Debug, Clone)]
pub struct Call {
    /// When its body had arrived.
    pub at: Instant,
    /// The method, in upper case.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, byte for byte.
    pub body: Vec<u8>,
    /// Whether it carried the edge token.
    pub authorized: bool,
    /// The check it asks for; `None` when it is no well-formed check.
    pub check: Option<CheckRequest>,
}

impl Call {
    /// The check.
    ///
    /// # Panics
    /// When the call is no well-formed check.
    #[must_use]
    pub fn check(&self) -> &CheckRequest {
        self.check
            .as_ref()
            .unwrap_or_else(|| panic!("{} {} is no check", self.method, self.target))
    }

    /// The id of the project or server that is asked about.
    #[must_use]
    pub fn subject(&self) -> &str {
        match &self.check().subject {
            Subject::ProjectId(id) | Subject::ServerId(id) => id.as_str(),
        }
    }
}
