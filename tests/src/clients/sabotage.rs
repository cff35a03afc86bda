//! Gateways that do what a gateway must not, to see that a run notices: `make test-clients CLIENTS="--sabotage hold-back"` has to
//! fail.

use serde_json::{Value, json};

use crate::bootstrap;
use crate::gateway::GatewayOptions;

/// What is wrong with the gateway.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum Sabotage {
    /// It holds an answer back until it has all of it.
    HoldBack,
    /// It drops a header that it does not know.
    DropHeader,
    /// It lets the key through to the server.
    LeakKey,
    /// It changes a request's body by one blank.
    ChangeByte,
    /// It changes an answer's body by one blank.
    ChangeAnswer,
}

/// One blank more than the client or the server wrote, in what is short enough to be held in Envoy's memory.
const CHANGE: &str = r#"
    local length = tonumber(handle:headers():get("content-length") or "")
    local body = length and length < 10000 and handle:body()
    if body then body:setBytes((body:getBytes(0, body:length()):gsub('"jsonrpc":', '"jsonrpc": '))) end
"#;

impl Sabotage {
    /// The gateway with the fault.
    pub(super) fn commit(self, options: GatewayOptions) -> GatewayOptions {
        match self {
            Self::HoldBack => lua(options, "function envoy_on_response(handle) handle:body() end"),
            Self::DropHeader => options.edit(|bootstrap| {
                for route in bootstrap::routes(bootstrap) {
                    route["request_headers_to_remove"] = json!(["mcp-protocol-version"]);
                }
            }),
            Self::LeakKey => options.plugin(json!({"strip_key": "never"})),
            Self::ChangeByte => {
                lua(options, &format!("function envoy_on_request(handle) {CHANGE} end"))
            }
            Self::ChangeAnswer => lua(
                options,
                &format!(
                    "function envoy_on_response(handle)
                       if handle:headers():get('content-type') == 'application/json' then {CHANGE} end
                     end"
                ),
            ),
        }
    }
}

/// Puts a Lua filter before all others.
fn lua(options: GatewayOptions, code: &str) -> GatewayOptions {
    let filter: Value = json!({
        "name": "envoy.filters.http.lua",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
            "default_source_code": {"inline_string": code},
        },
    });
    options.edit(move |bootstrap| bootstrap::http_filters(bootstrap).insert(0, filter))
}
