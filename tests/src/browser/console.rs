//! What WebDriver has no command for: Chromium's console, and its developer tools.

use fantoccini::wd::WebDriverCompatibleCommand;
use hyper::Method;
use serde_json::{Value, json};
use url::{ParseError, Url};

/// Reads the console's entries since the last time.
#[derive(Debug)]
pub(super) struct ConsoleLog;

/// A command of the developer tools.
#[derive(Debug)]
pub(super) struct DevTools {
    pub(super) command: String,
    pub(super) parameters: Value,
}

impl WebDriverCompatibleCommand for ConsoleLog {
    fn endpoint(&self, base_url: &Url, session_id: Option<&str>) -> Result<Url, ParseError> {
        base_url.join(&format!(
            "session/{}/se/log",
            session_id.unwrap_or_default()
        ))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({"type": "browser"}).to_string()))
    }
}

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base_url: &Url, session_id: Option<&str>) -> Result<Url, ParseError> {
        let session = session_id.unwrap_or_default();
        base_url.join(&format!("session/{session}/goog/cdp/execute"))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let body = json!({"cmd": self.command, "params": self.parameters});
        (Method::POST, Some(body.to_string()))
    }
}

/// The entries that tell of a fault. An answer that is an error is none: pages ask for what may be refused.
pub(super) fn complaints(entries: &Value) -> Vec<String> {
    let entries = entries.as_array().expect("a list of entries").iter();
    entries
        .filter(|entry| entry["level"] == "SEVERE" && entry["source"] != "network")
        .map(|entry| entry["message"].as_str().unwrap_or_default().to_owned())
        .collect()
}
