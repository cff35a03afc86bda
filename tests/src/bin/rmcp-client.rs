//! The official Rust SDK as one of the client programs of `tests/clients`, with the same commands.

#![allow(
    clippy::print_stdout,
    reason = "answers go to the driver on standard output"
)]

use std::collections::HashMap;
use std::io::BufRead;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::header::{HeaderName, HeaderValue};
use rmcp::model::{CallToolRequestParams, ProgressNotificationParam};
use rmcp::service::{NotificationContext, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientHandler, Peer, RoleClient, ServiceExt};
use serde::Deserialize;
use serde_json::{Value, json};
use stack::http;
use tokio::sync::Notify;

/// How long a call of an open session may take.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Deserialize)]
struct Order {
    r#do: String,
    url: String,
    headers: HashMap<String, String>,
}

#[derive(Default)]
struct Handler {
    list_changed: Arc<Notify>,
}

type Service = RunningService<RoleClient, Handler>;

#[tokio::main]
async fn main() -> Result<()> {
    let mut open = None;
    for line in std::io::stdin().lock().lines() {
        let order: Order = serde_json::from_str(&line?)?;
        let done = match order.r#do.as_str() {
            "session" => session(&order).await,
            "try" => attempt(&order).await,
            "open" => connect(&order).await.map(|(service, _)| {
                open = Some(service);
                json!({"ok": true})
            }),
            "call" => still_here(open.as_ref()).await,
            "close" => close(open.take()).await,
            other => Err(anyhow::anyhow!("no such command: {other}")),
        };
        println!(
            "{}",
            done.unwrap_or_else(|error| json!({"shown": shown(&error)}))
        );
    }
    Ok(())
}

async fn connect(order: &Order) -> Result<(Service, Arc<Notify>)> {
    let mut headers = HashMap::new();
    for (name, value) in &order.headers {
        headers.insert(name.parse::<HeaderName>()?, HeaderValue::from_str(value)?);
    }
    let config =
        StreamableHttpClientTransportConfig::with_uri(order.url.as_str()).custom_headers(headers);
    let transport = StreamableHttpClientTransport::with_client(http::client(), config);
    let handler = Handler::default();
    let list_changed = Arc::clone(&handler.list_changed);
    Ok((handler.serve(transport).await?, list_changed))
}

async fn attempt(order: &Order) -> Result<Value> {
    let (service, _) = connect(order).await?;
    service.list_all_tools().await?;
    service.cancel().await?;
    Ok(json!({"connected": true}))
}

async fn still_here(open: Option<&Service>) -> Result<Value> {
    let peer = open.context("no session is open")?.peer();
    let call = call(peer, "echo", json!({"message": "still here"}));
    tokio::time::timeout(Duration::from_secs(3), call).await??;
    Ok(json!({"ok": true}))
}

async fn close(open: Option<Service>) -> Result<Value> {
    if let Some(service) = open {
        drop(tokio::time::timeout(PATIENCE, service.cancel()).await);
    }
    Ok(json!({"ok": true}))
}

async fn session(order: &Order) -> Result<Value> {
    let mut steps = Vec::new();
    let gone = walk(order, &mut steps).await;
    Ok(match gone {
        Ok(()) => json!({"steps": steps}),
        Err(error) => json!({"steps": steps, "shown": shown(&error)}),
    })
}

async fn walk(order: &Order, steps: &mut Vec<&str>) -> Result<()> {
    let long = "0123456789 äöü 你好 🦀 \"\\\n".repeat(12_000) + "end";
    let (service, list_changed) = connect(order).await?;
    let peer = service.peer();
    steps.push("initialize");
    let tools = service.list_all_tools().await?;
    ensure!(tools.iter().any(|tool| tool.name == "echo"), "no echo");
    steps.push("list");
    expect(&call(peer, "echo", json!({"message": long})).await?, &long)?;
    steps.push("call");
    expect(
        &call(peer, "count_together", json!({"to": 3})).await?,
        "counted to 3",
    )?;
    steps.push("progress");
    let told = list_changed.notified();
    expect(&call(peer, "announce", json!({})).await?, "announced")?;
    tokio::time::timeout(PATIENCE, told).await?;
    steps.push("notification");
    expect(&call(peer, "break_off", json!({})).await?, "resumed")?;
    steps.push("resume");
    service.cancel().await?;
    steps.push("delete");
    Ok(())
}

async fn call(peer: &Peer<RoleClient>, tool: &'static str, arguments: Value) -> Result<String> {
    let Value::Object(arguments) = arguments else {
        bail!("arguments are an object");
    };
    let call = CallToolRequestParams::new(tool).with_arguments(arguments);
    let answer = peer.call_tool(call).await?;
    let text = answer.content.iter().find_map(|block| block.as_text());
    Ok(text.context("an answer without text")?.text.clone())
}

fn expect(found: &str, wanted: &str) -> Result<()> {
    let cut = |text: &str| text.chars().take(200).collect::<String>();
    ensure!(found == wanted, "{} instead of {}", cut(found), cut(wanted));
    Ok(())
}

/// What `anyhow` prints of an error, as most programs do.
fn shown(error: &anyhow::Error) -> String {
    format!("Error: {error:#}")
}

impl ClientHandler for Handler {
    async fn on_progress(
        &self,
        params: ProgressNotificationParam,
        context: NotificationContext<RoleClient>,
    ) {
        // A whole number by the server's word.
        let step = json!({"step": params.progress});
        tokio::spawn(async move { call(&context.peer, "seen", step).await });
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.list_changed.notify_one();
    }
}
