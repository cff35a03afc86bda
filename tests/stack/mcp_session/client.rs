//! An MCP client on the official Rust SDK, told nothing but a URL and perhaps a key, that hands on what the server sends
//! between requests and answers.

use std::collections::HashMap;

use reqwest::header::{HeaderName, HeaderValue};
use rmcp::model::{CallToolRequestParams, CallToolResult, ProgressNotificationParam};
use rmcp::service::{ClientInitializeError, NotificationContext, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientHandler, RoleClient, ServiceError, ServiceExt};
use serde_json::Value;
use stack::deadline::{PATIENCE, within};
use stack::http;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// A client in the middle of a session.
pub(super) struct Client {
    service: RunningService<RoleClient, Handler>,
    progress: UnboundedReceiver<f64>,
    list_changed: UnboundedReceiver<()>,
}

/// Passes notifications on to the test.
struct Handler {
    progress: UnboundedSender<f64>,
    list_changed: UnboundedSender<()>,
}

impl Client {
    /// Opens a session: `initialize` and all that follows from it.
    pub(super) async fn connect(
        url: &str,
        api_key: Option<&str>,
    ) -> Result<Self, ClientInitializeError> {
        let headers = api_key.map(|key| {
            let key = HeaderValue::from_str(key).unwrap();
            (HeaderName::from_static("x-api-key"), key)
        });
        let config = StreamableHttpClientTransportConfig::with_uri(url)
            .custom_headers(HashMap::from_iter(headers));
        let transport = StreamableHttpClientTransport::with_client(http::client(), config);
        let (progress, progress_received) = unbounded_channel();
        let (list_changed, list_changed_received) = unbounded_channel();
        let handler = Handler {
            progress,
            list_changed,
        };
        let service = within(PATIENCE, "initialize", handler.serve(transport)).await?;
        Ok(Self {
            service,
            progress: progress_received,
            list_changed: list_changed_received,
        })
    }

    /// The names of the server's tools.
    pub(super) async fn tools(&self) -> Vec<String> {
        let tools = within(PATIENCE, "tools/list", self.service.list_all_tools()).await;
        let tools = tools.unwrap().into_iter();
        tools.map(|tool| tool.name.into_owned()).collect()
    }

    /// Calls a tool; the answer is awaited apart from the client, which can watch for progress meanwhile.
    pub(super) fn call(
        &self,
        tool: &'static str,
        arguments: Value,
    ) -> impl Future<Output = Result<CallToolResult, ServiceError>> + use<> {
        let Value::Object(arguments) = arguments else {
            panic!("arguments are an object");
        };
        let peer = self.service.peer().clone();
        async move {
            let call = CallToolRequestParams::new(tool).with_arguments(arguments);
            within(PATIENCE, tool, peer.call_tool(call)).await
        }
    }

    /// The next progress that the server reports.
    pub(super) async fn progress(&mut self) -> f64 {
        let progress = within(PATIENCE, "progress", self.progress.recv()).await;
        progress.expect("the session is open")
    }

    /// Waits until the server says, unasked, that its tools changed.
    pub(super) async fn list_changed(&mut self) {
        let told = within(PATIENCE, "a notification", self.list_changed.recv()).await;
        told.expect("the session is open");
    }

    /// Ends the session, as a client does that is done (DELETE).
    pub(super) async fn close(self) {
        within(PATIENCE, "closing", self.service.cancel())
            .await
            .unwrap();
    }
}

impl ClientHandler for Handler {
    async fn on_progress(
        &self,
        params: ProgressNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        // The test may be over already.
        self.progress.send(params.progress).ok();
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.list_changed.send(()).ok();
    }
}

/// The text of a tool's answer.
pub(super) fn text(answer: Result<CallToolResult, ServiceError>) -> String {
    let answer = answer.expect("the call is answered");
    let text = answer.content.iter().find_map(|block| block.as_text());
    text.expect("a text").text.clone()
}
