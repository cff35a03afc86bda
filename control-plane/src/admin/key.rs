//! `key create`, `revoke`, `disable` and `enable`. **`create` is the only place that prints a raw key.**

use jiff::Timestamp;
use serde::Serialize;

use super::{
    AdminError,
    command::{CreateKey, KeyId},
    output::{Format, Output},
};
use crate::{
    key::PlainKey,
    model::{
        api_key::{ApiKey, Lifecycle},
        audit::Author,
    },
    random,
    store::Store,
};

/// A new key with its raw text.
#[derive(Serialize)]
struct Created<'a> {
    #[serde(flatten)]
    record: &'a ApiKey,
    /// The raw key, printed this once.
    key: &'a str,
}

pub(super) async fn create(
    store: &Store,
    options: CreateKey,
    now: Timestamp,
) -> Result<Output, AdminError> {
    let plain = PlainKey::generate()?;
    let record = ApiKey {
        id: random::id("key_")?,
        project_id: options.project,
        name: options.name,
        created_at: now,
        lifecycle: Lifecycle {
            expires_at: options.expires_at,
            ..Lifecycle::default()
        },
    };
    store
        .create_key(&Author::cli(now), &record, plain.sha256())
        .await?;
    Ok(options.format.one(
        &Created {
            record: &record,
            key: plain.reveal(),
        },
        &[
            ("id", record.id.as_str()),
            ("project", record.project_id.as_str()),
            ("name", record.name.as_str()),
            (
                "expires at",
                &optional(record.lifecycle.expires_at, "never"),
            ),
            ("key", plain.reveal()),
            ("", "Keep the key now: it cannot be shown again."),
        ],
    ))
}

pub(super) async fn revoke(
    store: &Store,
    options: KeyId,
    now: Timestamp,
) -> Result<Output, AdminError> {
    Ok(changed(
        options.format,
        &store
            .revoke_key(&Author::cli(now), None, &options.id)
            .await?,
    ))
}

pub(super) async fn disable(
    store: &Store,
    options: KeyId,
    now: Timestamp,
) -> Result<Output, AdminError> {
    Ok(changed(
        options.format,
        &store
            .disable_key(&Author::cli(now), None, &options.id)
            .await?,
    ))
}

pub(super) async fn enable(
    store: &Store,
    options: KeyId,
    now: Timestamp,
) -> Result<Output, AdminError> {
    Ok(changed(
        options.format,
        &store
            .enable_key(&Author::cli(now), None, &options.id)
            .await?,
    ))
}

fn changed(format: Format, key: &ApiKey) -> Output {
    format.one(
        key,
        &[
            ("id", key.id.as_str()),
            ("project", key.project_id.as_str()),
            ("name", key.name.as_str()),
            ("revoked at", &optional(key.lifecycle.revoked_at, "-")),
            ("disabled at", &optional(key.lifecycle.disabled_at, "-")),
        ],
    )
}

fn optional(time: Option<Timestamp>, none: &str) -> String {
    time.map_or_else(|| none.to_owned(), |time| time.to_string())
}
