//! A project's settings, their defaults, and a partial change to them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::config_value::{DisplayName, LogoUrl, SignedUrlExpiry};

/// Projects of organisations created from this moment on require a key unless told otherwise:
/// 2026-03-01T00:00:00Z.
pub const REQUIRED_BY_DEFAULT_FROM: Timestamp = Timestamp::constant(1_772_323_200, 0);

/// The settings of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProjectConfig {
    /// Whether the project's MCP servers may be called only with one of the project's API keys.
    pub require_mcp_api_key: bool,
    /// Whether entity and connected account ids are required for all actions.
    #[serde(rename = "is_2FA_enabled")]
    pub is_2fa_enabled: bool,
    /// Whether secrets are hidden in the details of connected accounts.
    pub mask_secret_keys_in_connected_account: bool,
    /// Which logs are stored.
    pub log_visibility_setting: LogVisibility,
    /// The project's logo, an http or https URL. Absent when not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = Uri, required = false, max_length = 2048)]
    pub logo_url: Option<LogoUrl>,
    /// The name shown to end users. Absent when not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 100)]
    pub display_name: Option<DisplayName>,
    /// Whether managed authentication goes through the hosted link page. Absent when not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = bool, required = false)]
    pub is_composio_link_enabled_for_managed_auth: Option<bool>,
    /// How long a signed file URL stays good, in seconds. Absent when not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u32, required = false, minimum = 1, maximum = 604_800)]
    pub signed_url_file_expiry_in_seconds: Option<SignedUrlExpiry>,
}

/// Settings, and since when they are so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionedConfig {
    /// The settings.
    pub config: ProjectConfig,
    /// The revision from which on they are in force; 0: from before that was kept.
    pub revision: u64,
}

/// Which logs of a project are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogVisibility {
    /// All of them.
    ShowAll,
    /// Their data is not stored.
    DontStoreData,
}

/// A partial change: a setting that is left out stays as it is.
// Read by `public::config_patch`; the derives describe the body in the OpenAPI document.
#[derive(Debug, Clone, PartialEq, Eq, Default, ToSchema)]
#[schema(as = ProjectConfigPatch)]
#[serde(deny_unknown_fields)]
pub struct ConfigPatch {
    /// Whether the project's MCP servers may be called only with one of the project's API keys.
    #[schema(value_type = bool, required = false)]
    pub require_mcp_api_key: Option<bool>,
    /// Whether entity and connected account ids are required for all actions.
    #[schema(rename = "is_2FA_enabled", value_type = bool, required = false)]
    pub is_2fa_enabled: Option<bool>,
    /// Whether secrets are hidden in the details of connected accounts.
    #[schema(value_type = bool, required = false)]
    pub mask_secret_keys_in_connected_account: Option<bool>,
    /// Which logs are stored.
    #[schema(value_type = LogVisibility, required = false)]
    pub log_visibility_setting: Option<LogVisibility>,
    /// The project's logo, an http or https URL; `null` unsets it.
    #[schema(value_type = Option<String>, format = Uri, required = false, max_length = 2048)]
    pub logo_url: Option<Option<LogoUrl>>,
    /// The name shown to end users; `null` unsets it.
    #[schema(value_type = Option<String>, required = false, min_length = 1, max_length = 100)]
    pub display_name: Option<Option<DisplayName>>,
    /// Whether managed authentication goes through the hosted link page; `null` unsets it.
    #[schema(value_type = Option<bool>, required = false)]
    pub is_composio_link_enabled_for_managed_auth: Option<Option<bool>>,
    /// How long a signed file URL stays good, in seconds; `null` unsets it.
    #[schema(value_type = Option<u32>, required = false, minimum = 1, maximum = 604_800)]
    pub signed_url_file_expiry_in_seconds: Option<Option<SignedUrlExpiry>>,
}

impl ProjectConfig {
    /// The settings of a new project of an organisation created at `created_at`.
    #[must_use]
    pub fn for_organisation_created_at(created_at: Timestamp) -> Self {
        Self {
            require_mcp_api_key: created_at >= REQUIRED_BY_DEFAULT_FROM,
            is_2fa_enabled: true,
            mask_secret_keys_in_connected_account: true,
            log_visibility_setting: LogVisibility::ShowAll,
            logo_url: None,
            display_name: None,
            is_composio_link_enabled_for_managed_auth: None,
            signed_url_file_expiry_in_seconds: None,
        }
    }

    /// The settings after `patch`.
    #[must_use]
    pub fn patched(&self, patch: &ConfigPatch) -> Self {
        fn pick<T: Clone>(change: Option<&T>, current: &T) -> T {
            change.unwrap_or(current).clone()
        }
        Self {
            require_mcp_api_key: pick(
                patch.require_mcp_api_key.as_ref(),
                &self.require_mcp_api_key,
            ),
            is_2fa_enabled: pick(patch.is_2fa_enabled.as_ref(), &self.is_2fa_enabled),
            mask_secret_keys_in_connected_account: pick(
                patch.mask_secret_keys_in_connected_account.as_ref(),
                &self.mask_secret_keys_in_connected_account,
            ),
            log_visibility_setting: pick(
                patch.log_visibility_setting.as_ref(),
                &self.log_visibility_setting,
            ),
            logo_url: pick(patch.logo_url.as_ref(), &self.logo_url),
            display_name: pick(patch.display_name.as_ref(), &self.display_name),
            is_composio_link_enabled_for_managed_auth: pick(
                patch.is_composio_link_enabled_for_managed_auth.as_ref(),
                &self.is_composio_link_enabled_for_managed_auth,
            ),
            signed_url_file_expiry_in_seconds: pick(
                patch.signed_url_file_expiry_in_seconds.as_ref(),
                &self.signed_url_file_expiry_in_seconds,
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_turns_at_midnight_of_the_first_of_march() {
        let check = |created_at: &str, required: bool| {
            let config = ProjectConfig::for_organisation_created_at(created_at.parse().unwrap());
            assert_eq!(config.require_mcp_api_key, required, "{created_at}");
        };
        check("2026-02-28T23:59:59Z", false);
        check("2026-02-28T23:59:59.999Z", false);
        check("2026-03-01T00:00:00Z", true);
        check("2026-03-01T00:00:01Z", true);
        // The boundary is in UTC, whatever the offset it is written in.
        check("2026-03-01T00:59:59+01:00", false);
        check("2026-02-28T19:00:00-05:00", true);
        check("2026-11-23T00:00:00Z", true);
    }

    #[test]
    fn an_empty_patch_changes_nothing() {
        let config = ProjectConfig::for_organisation_created_at(REQUIRED_BY_DEFAULT_FROM);
        assert_eq!(config.patched(&ConfigPatch::default()), config);
    }
}
