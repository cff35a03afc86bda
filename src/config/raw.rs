//! The configuration as written, field for field. README's table of fields is this file's.

use serde::Deserialize;

use super::{ConfigError, StripKey};

/// The whole plugin configuration.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfig {
    /// Where policy and verdicts are learnt.
    pub(super) control_plane: RawControlPlane,
    /// Protected paths, first match wins. At least one.
    pub(super) rules: Vec<RawRule>,
    /// Paths that continue unchecked. Default none.
    #[serde(default)]
    pub(super) exempt: Vec<RawExempt>,
    /// What a path gets that matches no rule. Default `deny`.
    #[serde(default)]
    pub(super) unmatched: RawUnmatched,
    /// Where a client may put its key, all of them looked at. Default the header `x-api-key`.
    #[serde(default = "default_key_sources")]
    pub(super) key_sources: Vec<RawKeySource>,
    /// When the key is removed before the request goes upstream. Default `when_required`.
    #[serde(default)]
    pub(super) strip_key: RawStripKey,
    /// Whether a request continues whose policy or verdict cannot be learnt. Default false: 503.
    #[serde(default)]
    pub(super) failure_mode_allow: bool,
    /// Seconds in the `retry-after` of a 503, 1 to 3600. Default 5.
    #[serde(default = "default_retry_after_s")]
    pub(super) retry_after_s: u32,
    /// `www-authenticate` of a 401; `none` sends no challenge. Default `ApiKey realm="mcp", header="<first key source>"`.
    pub(super) challenge: Option<String>,
    /// Bounds of the caches.
    #[serde(default)]
    pub(super) cache: RawCache,
    /// Whether open streams end when their key or their project's policy stops allowing them. Default true.
    #[serde(default = "default_end_streams_on_revoke")]
    pub(super) end_streams_on_revoke: bool,
    /// Bounds of what may wait.
    #[serde(default)]
    pub(super) limits: RawLimits,
}

/// How to reach the control plane's edge API.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawControlPlane {
    /// Envoy cluster of the edge API.
    pub(super) cluster: String,
    /// `:authority` of a check. Default the cluster's name.
    pub(super) authority: Option<String>,
    /// Environment variable of the VM that holds the edge token. Default `MCP_KEY_AUTH_EDGE_TOKEN`.
    #[serde(default = "default_edge_token_env")]
    pub(super) edge_token_env: String,
    /// Longest time of a check, and longest wait of a request for it, in milliseconds, 10 to 60000. Default 1000.
    #[serde(default = "default_timeout_ms")]
    pub(super) timeout_ms: u32,
}

/// A protected path.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRule {
    /// Literal segments and one `{project_id}` or `{server_id}`; matches the path and everything below it.
    pub(crate) path: String,
}

/// A path that continues unchecked: exactly one of the two.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawExempt {
    /// This path alone.
    pub(crate) path: Option<String>,
    /// This path and everything below it.
    pub(crate) prefix: Option<String>,
}

/// What a path gets that matches no rule.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawUnmatched {
    /// 404.
    #[default]
    Deny,
    /// Continue, but only when the path lies clearly outside every protected prefix.
    Allow,
}

/// A header that may carry the key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawKeySource {
    /// Header name.
    pub(crate) header: String,
    /// Word before the key, such as `Bearer`; a value without it is no key. Default none.
    pub(crate) scheme: Option<String>,
}

/// When the key is removed.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawStripKey {
    /// See [`StripKey::WhenRequired`].
    #[default]
    WhenRequired,
    /// See [`StripKey::Always`].
    Always,
    /// See [`StripKey::Never`].
    Never,
}

/// Bounds of the caches in entries and time. Entries live in Envoy's shared data, common to all workers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawCache {
    /// Policies of known projects and servers, 4 to 1048576. Default 16384.
    pub(crate) policies: u32,
    /// Ids known to name no project, 4 to 1048576. Default 4096.
    pub(crate) unknown_projects: u32,
    /// Verdicts on good keys, 4 to 1048576. Default 65536.
    pub(crate) valid_keys: u32,
    /// Verdicts on bad keys, 4 to 1048576. Default 4096.
    pub(crate) invalid_keys: u32,
    /// Requests whose answer each worker remembers by itself, for those of good keys and known projects; as many
    /// again at most are kept in a quarter of the room for the others. 16 to 65536. Default 4096.
    pub(crate) local_entries: u32,
    /// Longest life of a policy or a good key's verdict in milliseconds, 0 (off) to 86400000; the control plane may say less. Default 600000.
    pub(crate) max_ttl_ms: u32,
    /// The same for an unknown project or a bad key, 0 (off) to 600000. Default 5000.
    pub(crate) max_negative_ttl_ms: u32,
    /// How long something is served that the change feed has not confirmed, in milliseconds, 100 to 600000. Default 30000.
    pub(crate) unconfirmed_ttl_ms: u32,
    /// How long after its life a policy or a good key's verdict still serves while the control plane cannot be asked, in milliseconds, 0 to 86400000. Default 600000.
    pub(crate) stale_if_error_ms: u32,
}

/// Bounds of what may wait, per worker.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawLimits {
    /// Requests that may wait for a check at the same time; one more is a control plane fault. 1 to 65536. Default 8192.
    pub(super) max_waiters: u32,
    /// Checks that may be under way at the same time; one more is a control plane fault. 1 to 65536. Default 512.
    pub(super) max_checks: u32,
    /// Checks per second that keys turning out bad may cost, per project; one more is a control plane fault. Five
    /// seconds' worth may come at once. 1 to 100000. Default 100.
    pub(super) bad_key_checks_per_s: u32,
}

impl RawConfig {
    pub(super) fn parse(json: &[u8]) -> Result<Self, ConfigError> {
        let mut reader = serde_json::Deserializer::from_slice(json);
        let raw = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let field = match error.path().to_string() {
                path if path == "." || path == "?" => "the configuration".to_owned(),
                path => path,
            };
            ConfigError::new(field, format!("cannot be read: {}", error.inner()))
        })?;
        reader.end().map_err(|error| {
            ConfigError::new("the configuration", format!("cannot be read: {error}"))
        })?;
        Ok(raw)
    }
}

impl Default for RawCache {
    fn default() -> Self {
        Self {
            policies: 16_384,
            unknown_projects: 4_096,
            valid_keys: 65_536,
            invalid_keys: 4_096,
            local_entries: 4_096,
            unconfirmed_ttl_ms: 30_000,
            max_ttl_ms: 600_000,
            max_negative_ttl_ms: 5_000,
            stale_if_error_ms: 600_000,
        }
    }
}

impl Default for RawLimits {
    fn default() -> Self {
        Self {
            max_waiters: 8_192,
            max_checks: 512,
            bad_key_checks_per_s: 100,
        }
    }
}

impl From<RawStripKey> for StripKey {
    fn from(raw: RawStripKey) -> Self {
        match raw {
            RawStripKey::WhenRequired => Self::WhenRequired,
            RawStripKey::Always => Self::Always,
            RawStripKey::Never => Self::Never,
        }
    }
}

fn default_key_sources() -> Vec<RawKeySource> {
    vec![RawKeySource {
        header: "x-api-key".to_owned(),
        scheme: None,
    }]
}

fn default_edge_token_env() -> String {
    "MCP_KEY_AUTH_EDGE_TOKEN".to_owned()
}

fn default_end_streams_on_revoke() -> bool {
    true
}

fn default_timeout_ms() -> u32 {
    1_000
}

fn default_retry_after_s() -> u32 {
    5
}
