//! The plugin's configuration: raw JSON in, a [`Config`] in which nothing is out of range out.

mod error;
mod fields;
mod header_name;

pub(crate) use self::error::ConfigError;
pub(crate) use self::fields::Fields;
pub(crate) use self::header_name::HeaderName;
use crate::cache::CacheLimits;
use crate::denial::Challenge;
use crate::key_source::KeySources;
use crate::oauth_dead_end::OAuthDeadEnd;
use crate::route::Routes;

/// The checked configuration of one plugin. README's table of fields says what each is for, its range and default.
#[derive(Debug)]
pub(crate) struct Config {
    /// Where and how policy and verdicts are learnt.
    pub(crate) control_plane: ControlPlane,
    /// Which paths are protected, and by whose policy.
    pub(crate) routes: Routes,
    /// Which hosts tell clients that look for a login that there is none.
    pub(crate) oauth_dead_end: OAuthDeadEnd,
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
    /// How often counts of requests are reported, in milliseconds; 0 for never.
    pub(crate) usage_interval_ms: u64,
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
    /// Requests that may wait for a check at the same time; a quarter of them for one and the same.
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
        let mut fields = Fields::parse(json)?;
        let key_sources = KeySources::parse(fields.objects("key_sources")?)?;
        let failure_mode_allow = fields.flag("failure_mode_allow", false)?;
        let config = Self {
            control_plane: ControlPlane::parse(fields.object("control_plane")?, env)?,
            routes: Routes::parse(&mut fields)?,
            oauth_dead_end: OAuthDeadEnd::parse(&mut fields)?,
            strip_key: fields.choice(
                "strip_key",
                [
                    ("when_required", StripKey::WhenRequired),
                    ("always", StripKey::Always),
                    ("never", StripKey::Never),
                ],
            )?,
            failure_mode: if failure_mode_allow {
                FailureMode::Allow
            } else {
                FailureMode::Deny
            },
            retry_after_s: fields.number("retry_after_s", 1..=3_600, 5)?,
            challenge: Challenge::parse(fields.text("challenge")?.as_deref(), &key_sources)?,
            cache: CacheLimits::parse(fields.object("cache")?)?,
            end_streams_on_revoke: fields.flag("end_streams_on_revoke", true)?,
            limits: Limits::parse(fields.object("limits")?)?,
            usage_interval_ms: fields
                .number("usage_interval_ms", 0..=3_600_000, 10_000)?
                .into(),
            key_sources,
        };
        fields.finish()?;
        Ok(config)
    }
}

impl ControlPlane {
    fn parse(
        mut fields: Fields,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let cluster = fields.required_text("cluster")?;
        if cluster.trim().is_empty() {
            return Err(ConfigError::new(
                fields.path("cluster"),
                "is empty; name the Envoy cluster of the control plane's edge API",
            ));
        }
        let authority = fields.text("authority")?.unwrap_or_else(|| cluster.clone());
        if !is_authority(&authority) {
            return Err(ConfigError::new(
                fields.path("authority"),
                "is not a host name; write the host, with a port if need be, that the edge API answers to",
            ));
        }
        let variable = fields.text("edge_token_env")?;
        let variable = variable.as_deref().unwrap_or("MCP_KEY_AUTH_EDGE_TOKEN");
        let token = env(variable)
            .map(|token| token.trim().to_owned())
            .unwrap_or_default();
        let problem = if token.is_empty() {
            "which is unset or empty; set it and hand it to the VM in vm_config.environment_variables"
        } else if !token.bytes().all(|b| b.is_ascii_graphic()) {
            "whose value holds a blank or a character outside ASCII; a token is one visible word"
        } else {
            ""
        };
        if !problem.is_empty() {
            return Err(ConfigError::new(
                fields.path("edge_token_env"),
                format!("names the environment variable {variable}, {problem}"),
            ));
        }
        let timeout_ms = fields.number("timeout_ms", 10..=60_000, 1_000)?;
        fields.finish()?;
        Ok(Self {
            cluster,
            authority,
            edge_token: EdgeToken(token),
            timeout_ms,
        })
    }
}

impl Limits {
    fn parse(mut fields: Fields) -> Result<Self, ConfigError> {
        let limits = Self {
            max_waiters: fields.number("max_waiters", 1..=65_536, 8_192)? as usize,
            max_checks: fields.number("max_checks", 1..=65_536, 512)? as usize,
            bad_key_checks_per_s: fields.number("bad_key_checks_per_s", 1..=100_000, 100)?,
        };
        fields.finish()?;
        Ok(limits)
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

fn is_authority(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']')
        })
}

#[cfg(test)]
mod tests;
