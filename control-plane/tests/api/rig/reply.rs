//! An answer, read to its end.

use axum::{
    body,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde_json::Value;

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) async fn read(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body::to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            status: parts.status,
            headers: parts.headers,
            text,
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self
            .headers
            .get(name)
            .unwrap_or_else(|| panic!("no header {name}"));
        value.to_str().unwrap()
    }

    /// Asserts a whole error envelope and gives its `error`.
    #[track_caller]
    pub(crate) fn error(&self, status: u16, slug: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/json");
        let error = self.json()["error"].clone();
        assert_eq!(error["slug"], slug, "{}", self.text);
        assert_eq!(error["status"], status);
        assert_eq!(error["request_id"], self.header("x-request-id"));
        assert!(
            error["code"].as_u64().is_some_and(|code| code > 0),
            "{}",
            self.text
        );
        for text in ["message", "suggested_fix"] {
            assert!(
                error[text].as_str().is_some_and(|text| !text.is_empty()),
                "{}",
                self.text
            );
        }
        error
    }
}
