//! Asking a running server what its clients ask.

use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;

use super::{
    app::{CONFIG, EDGE_TOKEN},
    program::Server,
};

impl Server {
    /// Sends a check, whatever comes of it.
    pub(crate) async fn try_check(&self, body: &Value) -> reqwest::Result<Response> {
        let url = format!("{}/edge/v1/check", self.edge);
        let request = Client::new().post(url).bearer_auth(EDGE_TOKEN);
        request.json(body).send().await
    }

    /// The answer to a check that must succeed.
    pub(crate) async fn check(&self, body: &Value) -> Value {
        json(self.try_check(body).await).await
    }

    /// The answer to a poll that must succeed.
    pub(crate) async fn changes(&self, after: u64, wait_ms: u64) -> Value {
        let url = format!(
            "{}/edge/v1/changes?after={after}&wait_ms={wait_ms}",
            self.edge
        );
        json(Client::new().get(url).bearer_auth(EDGE_TOKEN).send().await).await
    }

    /// A request to change the settings of the key's project.
    pub(crate) fn patch(&self, key: &str, change: &Value) -> RequestBuilder {
        let request = Client::new().patch(format!("{}{CONFIG}", self.public));
        request.header("x-api-key", key).json(change)
    }
}

async fn json(response: reqwest::Result<Response>) -> Value {
    let response = response.unwrap().error_for_status().unwrap();
    response.json().await.unwrap()
}
