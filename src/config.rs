//! The plugin's configuration: raw JSON in, a [`Config`] in which nothing is out of range out.

mod error;
mod header_name;
mod raw;

pub(crate) use self::error::ConfigError;
pub(crate) use self::header_name::HeaderName;
pub(crate) use self::raw::{RawCache, RawExempt, RawKeySource, RawRule, RawUnmatched};
use self::raw::{RawConfig, RawControlPlane, RawLimits};
use crate::cache::CacheLimits;
use crate::denial::Challenge;
use crate::key_source::KeySources;
use crate::route::Routes;

/// The checked configuration of one plugin.
#[derive(Debug)]
pub(crate) struct Config {
    /// Where and how policy and verdicts are learnt.
    pub(crate) control_plane: ControlPlane,
    /// Which paths are protected, and by whose policy.
    pub(crate) routes: Routes,
    /// Where a client may put its key.
    pub(crate) key_sources: KeySources,
    /// Whether the upstream gets to see the key.
    pub(crate) strip_key: StripKey,
    /// What a request gets whose policy or verdict cannot be learnt.
    pub(crate) failure_mode: FailureMode,
    /// Seconds in the `retry-after` of a 503.
    pub(crate) retry_after_s: u32,
    /// The `www-authenticate` of a 401.
    pub(crate) challenge: Challenge,
    /// Bounds of the caches in entries and time.
    pub(crate) cache: CacheLimits,
    /// Whether open streams end when they would not be allowed any more.
    pub(crate) end_streams_on_revoke: bool,
    /// Bounds of what may wait.
    pub(crate) limits: Limits,
}

/// How to reach the control plane's edge API.
#[derive(Debug)]
pub(crate) struct ControlPlane {
    /// Envoy cluster of the edge API.
    pub(crate) cluster: String,
    /// `:authority` of a check.
    pub(crate) authority: String,
    /// What authorizes a check.
    pub(crate) edge_token: EdgeToken,
    /// How long a check may take, and a request may wait for it, in milliseconds.
    pub(crate) timeout_ms: u32,
}

/// The secret shared with the control plane. Its text is reachable only for the `authorization` of a check
/// and for deriving the keys of the shared cache.
pub(crate) struct EdgeToken(String);

/// When the key is removed before the request goes upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StripKey {
    /// When the project requires a key, or when it is not known whether it does.
    WhenRequired,
    /// On every request that continues.
    Always,
    /// Never: the upstream needs it too.
    Never,
}

/// Envoy's word for what happens when the check itself fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureMode {
    /// 503 with `retry-after`.
    Deny,
    /// Continue unchecked.
    Allow,
}

/// Bounds of what may wait, per worker.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Requests that may wait for a check at the same time.
    pub(crate) max_waiters: usize,
    /// Checks that may be under way at the same time.
    pub(crate) max_checks: usize,
    /// Checks per second and project that may turn out to be about bad keys.
    pub(crate) bad_key_checks_per_s: u32,
}

impl Config {
    /// Parses and checks `json`. `env` reads an environment variable of the VM.
    ///
    /// # Errors
    /// One sentence that names the field and says what to write instead.
    pub(crate) fn parse(
        json: &[u8],
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let raw = RawConfig::parse(json)?;
        let key_sources = KeySources::parse(&raw.key_sources)?;
        let challenge = Challenge::parse(raw.challenge.as_deref(), &key_sources)?;
        Ok(Self {
            control_plane: ControlPlane::parse(raw.control_plane, env)?,
            routes: Routes::parse(&raw.rules, &raw.exempt, raw.unmatched)?,
            key_sources,
            strip_key: raw.strip_key.into(),
            failure_mode: if raw.failure_mode_allow {
                FailureMode::Allow
            } else {
                FailureMode::Deny
            },
            retry_after_s: in_range("retry_after_s", raw.retry_after_s, 1, 3_600)?,
            challenge,
            cache: CacheLimits::parse(&raw.cache)?,
            end_streams_on_revoke: raw.end_streams_on_revoke,
            limits: Limits::parse(&raw.limits)?,
        })
    }
}

impl ControlPlane {
    fn parse(
        raw: RawControlPlane,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        if raw.cluster.trim().is_empty() {
            return Err(ConfigError::new(
                "control_plane.cluster",
                "is empty; name the Envoy cluster of the control plane's edge API",
            ));
        }
        let authority = raw.authority.unwrap_or_else(|| raw.cluster.clone());
        if !is_authority(&authority) {
            return Err(ConfigError::new(
                "control_plane.authority",
                "is not a host name; write the host, with a port if need be, that the edge API answers to",
            ));
        }
        let field = "control_plane.edge_token_env";
        let token = env(&raw.edge_token_env)
            .map(|token| token.trim().to_owned())
            .unwrap_or_default();
        if token.is_empty() {
            return Err(ConfigError::new(
                field,
                format!(
                    "names the environment variable {:?}, which is unset or empty; set it and hand it to the VM in vm_config.environment_variables",
                    raw.edge_token_env
                ),
            ));
        }
        if !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(ConfigError::new(
                field,
                format!(
                    "names the environment variable {:?}, whose value holds a blank or a character outside ASCII; a token is one visible word",
                    raw.edge_token_env
                ),
            ));
        }
        Ok(Self {
            cluster: raw.cluster,
            authority,
            edge_token: EdgeToken(token),
            timeout_ms: in_range("control_plane.timeout_ms", raw.timeout_ms, 10, 60_000)?,
        })
    }
}

impl Limits {
    fn parse(raw: &RawLimits) -> Result<Self, ConfigError> {
        Ok(Self {
            max_waiters: in_range("limits.max_waiters", raw.max_waiters, 1, 65_536)? as usize,
            max_checks: in_range("limits.max_checks", raw.max_checks, 1, 65_536)? as usize,
            bad_key_checks_per_s: in_range(
                "limits.bad_key_checks_per_s",
                raw.bad_key_checks_per_s,
                1,
                100_000,
            )?,
        })
    }
}

impl EdgeToken {
    /// The token's text.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for EdgeToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EdgeToken(redacted)")
    }
}

/// Refuses a number outside `least..=most`.
pub(crate) fn in_range(field: &str, value: u32, least: u32, most: u32) -> Result<u32, ConfigError> {
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(ConfigError::new(
            field,
            format!("is {value}; write a number from {least} to {most}"),
        ))
    }
}

fn is_authority(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']')
        })
}

#[cfg(test)]
mod tests;
