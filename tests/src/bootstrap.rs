//! The reference bootstrap as data, and the places in it that the rig and the tests change. It runs nothing.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::repo;

/// The name of the key filter in the filter chain.
pub const KEY_FILTER: &str = "envoy.filters.http.wasm";
/// The cluster that the key filter asks.
pub const CONTROL_PLANE: &str = "control_plane";
/// The cluster behind the gateway.
pub const MCP_SERVERS: &str = "mcp_servers";

/// `envoy/envoy.yaml`, unchanged.
#[must_use]
pub fn reference() -> Value {
    let file = repo::path("envoy/envoy.yaml");
    let text = std::fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    yaml_serde::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The HTTP connection manager's configuration.
pub fn connection_manager(bootstrap: &mut Value) -> &mut Value {
    let listener = &mut bootstrap["static_resources"]["listeners"][0];
    &mut listener["filter_chains"][0]["filters"][0]["typed_config"]
}

/// The HTTP filters, in order.
pub fn http_filters(bootstrap: &mut Value) -> &mut Vec<Value> {
    list(&mut connection_manager(bootstrap)["http_filters"])
}

/// The key filter's `PluginConfig`: failure policy, VM, configuration.
pub fn plugin(bootstrap: &mut Value) -> &mut Value {
    let filter = named(http_filters(bootstrap), KEY_FILTER);
    &mut filter["typed_config"]["config"]
}

/// Changes the key filter's own configuration.
///
/// # Panics
/// When it is not JSON any more.
pub fn edit_plugin_configuration(bootstrap: &mut Value, edit: impl FnOnce(&mut Value)) {
    let text = &plugin(bootstrap)["configuration"]["value"];
    let mut configuration = serde_json::from_str(text.as_str().unwrap_or_default())
        .unwrap_or_else(|error| panic!("the key filter's configuration is no JSON: {error}"));
    edit(&mut configuration);
    set_plugin_text(bootstrap, &configuration.to_string());
}

/// Hands the key filter this text, JSON or not, as its configuration.
pub fn set_plugin_text(bootstrap: &mut Value, text: &str) {
    plugin(bootstrap)["configuration"]["value"] = text.into();
}

/// The routes of the only virtual host, in order.
pub fn routes(bootstrap: &mut Value) -> &mut Vec<Value> {
    let hosts = &mut connection_manager(bootstrap)["route_config"]["virtual_hosts"];
    list(&mut hosts[0]["routes"])
}

/// A cluster by its name.
pub fn cluster<'a>(bootstrap: &'a mut Value, name: &str) -> &'a mut Value {
    named(list(&mut bootstrap["static_resources"]["clusters"]), name)
}

/// Takes the key filter out of the chain.
pub fn remove_key_filter(bootstrap: &mut Value) {
    http_filters(bootstrap).retain(|filter| filter["name"] != KEY_FILTER);
}

/// Sets where the gateway listens.
pub(crate) fn set_listener(bootstrap: &mut Value, addr: SocketAddr) {
    set_address(
        &mut bootstrap["static_resources"]["listeners"][0]["address"],
        addr,
    );
}

/// Sets where the admin interface listens.
pub(crate) fn set_admin(bootstrap: &mut Value, addr: SocketAddr) {
    set_address(&mut bootstrap["admin"]["address"], addr);
}

/// Sets where a cluster's only host is.
pub(crate) fn set_cluster(bootstrap: &mut Value, name: &str, addr: SocketAddr) {
    let assignment = &mut cluster(bootstrap, name)["load_assignment"];
    let host = &mut assignment["endpoints"][0]["lb_endpoints"][0];
    set_address(&mut host["endpoint"]["address"], addr);
}

/// Sets the file of the key filter's module.
pub(crate) fn set_module(bootstrap: &mut Value, file: &str) {
    plugin(bootstrap)["vm_config"]["code"]["local"]["filename"] = file.into();
}

fn set_address(place: &mut Value, addr: SocketAddr) {
    assert!(
        place["socket_address"].is_object(),
        "envoy.yaml has no socket_address here: {place}"
    );
    *place =
        json!({"socket_address": {"address": addr.ip().to_string(), "port_value": addr.port()}});
}

fn list(value: &mut Value) -> &mut Vec<Value> {
    value.as_array_mut().expect("a list in envoy.yaml")
}

fn named<'a>(items: &'a mut [Value], name: &str) -> &'a mut Value {
    items
        .iter_mut()
        .find(|item| item["name"] == name)
        .unwrap_or_else(|| panic!("nothing is named {name} in envoy.yaml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_that_is_changed_is_there() {
        let addr = SocketAddr::from(([127, 0, 0, 1], 7));
        let mut bootstrap = reference();
        set_listener(&mut bootstrap, addr);
        set_admin(&mut bootstrap, addr);
        set_cluster(&mut bootstrap, CONTROL_PLANE, addr);
        set_cluster(&mut bootstrap, MCP_SERVERS, addr);
        set_module(&mut bootstrap, "/module");
        edit_plugin_configuration(&mut bootstrap, |configuration| {
            assert_eq!(configuration["rules"][0]["path"], "/mcp/{project_id}");
        });
        let text = bootstrap.to_string();
        for gone in ["8081", "3000", "10000", "9901", "/etc/envoy"] {
            assert!(!text.contains(&format!("{gone},")), "{gone} is still there");
        }
        remove_key_filter(&mut bootstrap);
        assert_eq!(http_filters(&mut bootstrap).len(), 2);
    }
}
