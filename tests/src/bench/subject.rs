//! What is measured: an Envoy with one filter, or none, in front of a route that answers 200 itself.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::Serialize;
use serde_json::{Value, json};

use crate::bootstrap::{self, CONTROL_PLANE, KEY_FILTER};
use crate::envoy_runner::Runner;
use crate::gateway::GatewayOptions;
use crate::keys::mint_key;
use crate::wasm;

/// The project that every request is for.
pub(super) const PROJECT: &str = "bench";

/// A filter to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Subject {
    /// Nothing but the router.
    None,
    /// A wasm filter that does nothing.
    EmptyWasm,
    /// A wasm filter that makes the host calls of a hit and does nothing else.
    FloorWasm,
    /// Envoy's own `api_key_auth` with so many static keys.
    ApiKeyAuth {
        /// How many.
        keys: u64,
    },
    /// Lua with one comparison.
    Lua,
    /// `ext_authz` that asks over HTTP.
    ExtAuthzHttp,
    /// `ext_authz` that asks over gRPC.
    ExtAuthzGrpc,
    /// The key filter with its defaults, or with room for so many entries in each worker's own cache.
    KeyFilter {
        /// The least the filter takes makes nearly every hit one of the cache that workers share.
        local_entries: Option<u64>,
    },
    /// The key filter against a control plane that allows no caching.
    KeyFilterUncached,
}

/// What a request goes through besides the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Chain {
    /// See [`bare`]; Envoy answers itself.
    Bare,
    /// The reference gateway as it is deployed, with its access log, before a server that answers at once.
    Reference,
}

/// The servers that some filters ask.
#[derive(Debug, Clone, Copy)]
pub(super) struct Servers {
    /// Answers checks that may be cached.
    pub(super) control_plane: SocketAddr,
    /// Answers checks that may not.
    pub(super) uncached_control_plane: SocketAddr,
    /// `ext_authz` over HTTP.
    pub(super) http_authorizer: SocketAddr,
    /// `ext_authz` over gRPC.
    pub(super) grpc_authorizer: SocketAddr,
}

impl Subject {
    /// How its Envoy is started, with one worker.
    pub(super) fn options(
        self,
        chain: Chain,
        servers: Servers,
        module: Option<&Path>,
    ) -> GatewayOptions {
        let options = match chain {
            Chain::Bare => bare(module),
            Chain::Reference => reference(module).upstream(servers.http_authorizer),
        };
        match self {
            Self::None => options.edit(bootstrap::remove_key_filter),
            Self::EmptyWasm => unconfigured(options, empty_filter()),
            Self::FloorWasm => unconfigured(options, floor_filter()),
            Self::ApiKeyAuth { keys } => options.edit(move |b| replace(b, api_key_auth(keys))),
            Self::Lua => options.edit(|b| replace(b, lua())),
            Self::ExtAuthzHttp => options
                .control_plane(servers.http_authorizer)
                .edit(|b| replace(b, ext_authz_http())),
            Self::ExtAuthzGrpc => options.control_plane(servers.grpc_authorizer).edit(|b| {
                replace(b, ext_authz_grpc());
                speak_http2(bootstrap::cluster(b, CONTROL_PLANE));
            }),
            Self::KeyFilter { local_entries } => {
                let options = options.control_plane(servers.control_plane);
                match local_entries {
                    Some(entries) => options.plugin(json!({"cache": {"local_entries": entries}})),
                    None => options,
                }
            }
            Self::KeyFilterUncached => options.control_plane(servers.uncached_control_plane),
        }
    }
}

/// The reference gateway with nothing that costs but the key filter: no access log, no CORS, no path or header rules, no
/// request ids. What is taken out would cost every subject the same, and so flatter the ratios.
pub(super) fn bare(module: Option<&Path>) -> GatewayOptions {
    reference(module).edit(strip)
}

fn reference(module: Option<&Path>) -> GatewayOptions {
    let options = GatewayOptions::default()
        .runner(Runner::Process)
        .log_level("error");
    match module {
        Some(module) => options.module(module),
        None => options,
    }
}

/// Builds the wasm filter that does nothing, in the key filter's profile.
pub(super) fn empty_filter() -> &'static Path {
    static MODULE: OnceLock<PathBuf> = OnceLock::new();
    MODULE.get_or_init(|| wasm::module("empty-filter", "empty_filter.wasm"))
}

/// Builds the wasm filter that only makes a hit's host calls, in the key filter's profile.
pub(super) fn floor_filter() -> &'static Path {
    static MODULE: OnceLock<PathBuf> = OnceLock::new();
    MODULE.get_or_init(|| wasm::module("floor-filter", "floor_filter.wasm"))
}

/// A wasm filter with the fewest words of configuration.
fn unconfigured(options: GatewayOptions, module: &Path) -> GatewayOptions {
    options.module(module).edit(|bootstrap| {
        let plugin = bootstrap::plugin(bootstrap);
        let code = plugin["vm_config"]["code"].take();
        *plugin = json!({"name": "unconfigured", "vm_config": {
            "vm_id": "unconfigured", "runtime": "envoy.wasm.runtime.v8", "code": code,
        }});
    })
}

fn strip(bootstrap: &mut Value) {
    bootstrap
        .as_object_mut()
        .expect("a bootstrap")
        .remove("overload_manager");
    let manager = bootstrap::connection_manager(bootstrap);
    let fields = manager.as_object_mut().expect("a connection manager");
    let kept = [
        "@type",
        "stat_prefix",
        "codec_type",
        "http_filters",
        "route_config",
    ];
    fields.retain(|name, _| kept.contains(&name.as_str()));
    fields.insert("generate_request_id".to_owned(), false.into());
    let host = &mut manager["route_config"]["virtual_hosts"][0];
    *host = json!({
        "name": "bench",
        "domains": ["*"],
        "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}],
    });
    bootstrap::http_filters(bootstrap).retain(|filter| filter["name"] != "envoy.filters.http.cors");
}

/// Puts another filter into the key filter's place.
fn replace(bootstrap: &mut Value, filter: Value) {
    for place in bootstrap::http_filters(bootstrap) {
        if place["name"] == KEY_FILTER {
            *place = filter;
            return;
        }
    }
    panic!("the bootstrap has no key filter");
}

fn api_key_auth(keys: u64) -> Value {
    let credentials: Vec<_> = (0..keys)
        .map(|seed| json!({"key": mint_key(seed), "client": format!("key_{seed}")}))
        .collect();
    json!({"name": "api_key_auth", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.api_key_auth.v3.ApiKeyAuth",
        "credentials": credentials,
        "key_sources": [{"header": "x-api-key"}],
    }})
}

fn lua() -> Value {
    let code = format!(
        "function envoy_on_request(handle)\n\
         if handle:headers():get('x-api-key') ~= '{}' then handle:respond({{[':status'] = '401'}}, '') end\n\
         end",
        mint_key(0)
    );
    json!({"name": "lua", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
        "default_source_code": {"inline_string": code},
    }})
}

fn ext_authz_http() -> Value {
    json!({"name": "ext_authz", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
        "allowed_headers": {"patterns": [{"exact": "x-api-key"}]},
        "http_service": {"server_uri": {
            "uri": "http://authorizer", "cluster": CONTROL_PLANE, "timeout": "1s",
        }},
    }})
}

fn ext_authz_grpc() -> Value {
    json!({"name": "ext_authz", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
        "transport_api_version": "V3",
        "grpc_service": {"envoy_grpc": {"cluster_name": CONTROL_PLANE}, "timeout": "1s"},
    }})
}

fn speak_http2(cluster: &mut Value) {
    let options = &mut cluster["typed_extension_protocol_options"];
    options["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"]["explicit_http_config"] =
        json!({"http2_protocol_options": {}});
}
