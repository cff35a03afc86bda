//! The tools of the MCP server and what it sends unasked. Transport and sessions are the SDK's.

// The protocol deprecates log messages from 2026-07-28 on; earlier revisions, which clients speak today, have them.
#![expect(deprecated)]

use std::sync::Mutex;

use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{
    Implementation, LoggingLevel, LoggingMessageNotificationParam, ProgressNotificationParam,
    ServerCapabilities, ServerConfig, SetLevelRequestParams,
};
use rmcp::service::{NotificationContext, RequestContext, RoleServer};
use rmcp::{ErrorData, ServerHandler, schemars, tool, tool_handler, tool_router};
use serde::Deserialize;
use tokio::task::JoinSet;

use super::{Announcements, Pace};

/// The highest number `count` counts to.
const MAX_COUNT: u32 = 1000;

/// One session's handler.
#[derive(Debug)]
pub(super) struct Tools {
    announcements: Announcements,
    pace: Pace,
    /// The lowest level of log messages the client asked for.
    log_level: Mutex<LoggingLevel>,
    /// Ends with the session: dropping the set aborts what runs in it.
    background: Mutex<JoinSet<()>>,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
struct Echo {
    /// What to say back.
    message: String,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
struct Add {
    a: i64,
    b: i64,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
struct Count {
    /// The last number, 1 to 1000.
    to: u32,
}

#[tool_router]
impl Tools {
    pub(super) fn new(announcements: Announcements, pace: Pace) -> Self {
        Self {
            announcements,
            pace,
            log_level: Mutex::new(LoggingLevel::Info),
            background: Mutex::new(JoinSet::new()),
        }
    }

    #[tool(description = "Says back what it is told")]
    fn echo(&self, Parameters(Echo { message }): Parameters<Echo>) -> String {
        message
    }

    #[tool(description = "Adds two whole numbers")]
    fn add(&self, Parameters(Add { a, b }): Parameters<Add>) -> Result<String, ErrorData> {
        let sum = a.checked_add(b);
        sum.map(|sum| sum.to_string())
            .ok_or_else(|| ErrorData::invalid_params("the sum of a and b does not fit", None))
    }

    #[tool(description = "Counts from 1 up, reporting each number as progress as it goes")]
    async fn count(
        &self,
        Parameters(Count { to }): Parameters<Count>,
        context: RequestContext<RoleServer>,
    ) -> Result<String, ErrorData> {
        if !(1..=MAX_COUNT).contains(&to) {
            let message = format!("'to' is {to}, it must be 1 to {MAX_COUNT}");
            return Err(ErrorData::invalid_params(message, None));
        }
        self.log(&context, format!("counting to {to}")).await;
        tokio::select! {
            () = context.ct.cancelled() => Err(ErrorData::internal_error("cancelled", None)),
            () = self.count_aloud(to, &context) => Ok(format!("counted to {to}")),
        }
    }

    #[tool(
        description = "Notifies every session of this server (notifications/tools/list_changed)"
    )]
    fn announce(&self) -> String {
        format!("told {} sessions", self.announcements.announce())
    }
}

impl Tools {
    async fn count_aloud(&self, to: u32, context: &RequestContext<RoleServer>) {
        let token = context.meta.get_progress_token();
        for number in 1..=to {
            self.pace.step().await;
            let Some(token) = &token else { continue };
            let progress = ProgressNotificationParam::new(token.clone(), f64::from(number))
                .with_total(f64::from(to))
                .with_message(format!("{number} of {to}"));
            if let Err(error) = context.peer.notify_progress(progress).await {
                tracing::debug!(%error, "no one reads the progress");
            }
        }
    }

    async fn log(&self, context: &RequestContext<RoleServer>, message: String) {
        let wanted = *self.log_level.lock().expect("not poisoned");
        if (wanted as u8) > (LoggingLevel::Info as u8) {
            return;
        }
        let message = LoggingMessageNotificationParam::new(LoggingLevel::Info, message.into());
        if let Err(error) = context.peer.notify_logging_message(message).await {
            tracing::debug!(%error, "no one reads the log messages");
        }
    }
}

#[tool_handler]
impl ServerHandler for Tools {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_tool_list_changed()
            .enable_logging()
            .build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("mcp-server", env!("CARGO_PKG_VERSION")))
            .with_instructions("A small server to try a gateway with: echo, add, count, announce.")
    }

    async fn set_level(
        &self,
        request: SetLevelRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        *self.log_level.lock().expect("not poisoned") = request.level;
        Ok(())
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        let mut announcements = self.announcements.subscribe();
        let forward = async move {
            while announcements.next().await.is_some() {
                if context.peer.notify_tool_list_changed().await.is_err() {
                    return;
                }
            }
        };
        let mut background = self.background.lock().expect("not poisoned");
        background.spawn(forward);
    }
}
