//! Reading the body of a settings change, with every mistake in it.

use std::collections::HashSet;

use serde_json::Value;

use super::{
    fields::{kind, shortened, whole_number},
    members::Members,
};
use crate::{
    error::ApiError,
    model::{
        config_value::{DisplayName, LogoUrl, SignedUrlExpiry},
        project_config::{ConfigPatch, LogVisibility},
    },
};

const BOOLEAN: &str = "true or false";
const LOG_VISIBILITY: &str = "\"show_all\" or \"dont_store_data\"";
const FIELDS: &str = "require_mcp_api_key, is_2FA_enabled, mask_secret_keys_in_connected_account, \
    log_visibility_setting, logo_url, display_name, is_composio_link_enabled_for_managed_auth, \
    signed_url_file_expiry_in_seconds";

/// Reads a partial change. An error names every wrong field, not only the first.
pub(super) fn parse(body: &[u8]) -> Result<ConfigPatch, ApiError> {
    let Members(members) =
        serde_json::from_slice(body).map_err(|error| ApiError::InvalidBody(error.to_string()))?;
    let mut patch = ConfigPatch::default();
    let mut errors = Vec::new();
    let mut seen = HashSet::new();
    for (name, value) in &members {
        if !seen.insert(name) {
            errors.push(format!(
                "{:?} appears more than once: send it once",
                shortened(name)
            ));
        } else if let Err(error) = set(&mut patch, name, value) {
            errors.push(error);
        }
    }
    if errors.is_empty() {
        Ok(patch)
    } else {
        Err(ApiError::InvalidFields(errors))
    }
}

fn set(patch: &mut ConfigPatch, name: &str, value: &Value) -> Result<(), String> {
    let field = Field { name, value };
    match name {
        "require_mcp_api_key" => {
            patch.require_mcp_api_key = Some(field.required(BOOLEAN, Value::as_bool)?)
        }
        "is_2FA_enabled" => patch.is_2fa_enabled = Some(field.required(BOOLEAN, Value::as_bool)?),
        "mask_secret_keys_in_connected_account" => {
            patch.mask_secret_keys_in_connected_account =
                Some(field.required(BOOLEAN, Value::as_bool)?);
        }
        "log_visibility_setting" => {
            patch.log_visibility_setting = Some(field.required(LOG_VISIBILITY, log_visibility)?);
        }
        "logo_url" => {
            patch.logo_url = Some(field.optional(LogoUrl::RULE, |v| LogoUrl::parse(v.as_str()?))?);
        }
        "display_name" => {
            patch.display_name =
                Some(field.optional(DisplayName::RULE, |v| DisplayName::parse(v.as_str()?))?);
        }
        "is_composio_link_enabled_for_managed_auth" => {
            patch.is_composio_link_enabled_for_managed_auth =
                Some(field.optional(BOOLEAN, Value::as_bool)?);
        }
        "signed_url_file_expiry_in_seconds" => {
            patch.signed_url_file_expiry_in_seconds =
                Some(field.optional(SignedUrlExpiry::RULE, |v| {
                    SignedUrlExpiry::new(whole_number(v)?.try_into().ok()?)
                })?);
        }
        _ => {
            let name = shortened(name);
            return Err(format!(
                "{name:?} is not a setting: remove it; the settings are {FIELDS}"
            ));
        }
    }
    Ok(())
}

struct Field<'a> {
    name: &'a str,
    value: &'a Value,
}

impl Field<'_> {
    fn required<T>(&self, rule: &str, read: impl Fn(&Value) -> Option<T>) -> Result<T, String> {
        read(self.value).ok_or_else(|| {
            let found = kind(self.value);
            format!(
                "{} must be {rule}, not {found}; leave it out to keep it as it is",
                self.name
            )
        })
    }

    fn optional<T>(
        &self,
        rule: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, String> {
        if self.value.is_null() {
            return Ok(None);
        }
        read(self.value).map(Some).ok_or_else(|| {
            let found = kind(self.value);
            format!(
                "{} must be {rule}, or null to unset it, not {found}",
                self.name
            )
        })
    }
}

fn log_visibility(value: &Value) -> Option<LogVisibility> {
    match value.as_str()? {
        "show_all" => Some(LogVisibility::ShowAll),
        "dont_store_data" => Some(LogVisibility::DontStoreData),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(body: &str) -> Vec<String> {
        match parse(body.as_bytes()) {
            Err(ApiError::InvalidFields(errors)) => errors,
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn every_wrong_field_is_named_with_its_remedy() {
        let all = errors(
            r#"{"require_mcp_api_key": "yes", "is_2FA_enabled": null, "log_visibility_setting": "none",
                "logo_url": "javascript:alert(1)", "display_name": "", "signed_url_file_expiry_in_seconds": 1.5,
                "is_composio_link_enabled_for_managed_auth": 1, "mask_secret_keys_in_connected_account": [], "x": 1}"#,
        );
        assert_eq!(all.len(), 9);
        assert_eq!(
            all[0],
            "require_mcp_api_key must be true or false, not the text \"yes\"; leave it out to keep it as it is"
        );
        for (error, name) in all.iter().zip([
            "require_mcp_api_key",
            "is_2FA_enabled",
            "log_visibility_setting",
            "logo_url",
            "display_name",
            "signed_url_file_expiry_in_seconds",
            "is_composio_link_enabled_for_managed_auth",
            "mask_secret_keys_in_connected_account",
            "\"x\"",
        ]) {
            assert!(error.starts_with(name), "{error}");
        }
    }

    #[test]
    fn null_unsets_only_what_is_optional() {
        let patch = parse(
            br#"{"logo_url": null, "display_name": null, "is_composio_link_enabled_for_managed_auth": null,
                 "signed_url_file_expiry_in_seconds": null}"#,
        );
        let expected = ConfigPatch {
            logo_url: Some(None),
            display_name: Some(None),
            is_composio_link_enabled_for_managed_auth: Some(None),
            signed_url_file_expiry_in_seconds: Some(None),
            ..ConfigPatch::default()
        };
        assert_eq!(patch.unwrap(), expected);
        for name in [
            "require_mcp_api_key",
            "is_2FA_enabled",
            "mask_secret_keys_in_connected_account",
            "log_visibility_setting",
        ] {
            assert_eq!(errors(&format!("{{\"{name}\": null}}")).len(), 1, "{name}");
        }
    }

    #[test]
    fn what_is_no_object_is_refused_as_a_whole() {
        for body in ["", "{", "null", "[]", "\"a\"", "{} {}"] {
            let refused = parse(body.as_bytes());
            assert!(
                matches!(refused, Err(ApiError::InvalidBody(_))),
                "{body}: {refused:?}"
            );
        }
    }

    #[test]
    fn a_repeated_field_is_refused() {
        let body = r#"{"require_mcp_api_key": true, "require_mcp_api_key": false}"#;
        assert_eq!(
            errors(body),
            ["\"require_mcp_api_key\" appears more than once: send it once"]
        );
    }

    #[test]
    fn long_names_and_texts_are_cut_in_errors() {
        let long = "é".repeat(5_000);
        for body in [
            format!("{{\"{long}\": 1}}"),
            format!("{{\"is_2FA_enabled\": \"{long}\"}}"),
        ] {
            assert!(errors(&body)[0].len() < 500);
        }
    }
}
