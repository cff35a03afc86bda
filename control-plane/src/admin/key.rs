//! `key create`, `rotate`, `revoke`, `disable` and `enable`. **`create` and `rotate` alone print a raw key.**

use jiff::Timestamp;
use serde::Serialize;

use super::{
    AdminError,
    command::{CreateKey, KeyId, RotateKey},
    output::{Format, Output},
};
use crate::{
    key::PlainKey,
    model::{api_key::ApiKey, audit::Author, limits::UNLIMITED},
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
    let record = ApiKey::new(
        random::id("key_")?,
        options.project,
        options.name,
        now,
        options.expires_at,
        plain.masked(),
    );
    store
        .create_key(&Author::cli(now), &record, plain.sha256(), UNLIMITED)
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

pub(super) async fn rotate(
    store: &Store,
    options: RotateKey,
    now: Timestamp,
) -> Result<Output, AdminError> {
    let (plain, id) = (PlainKey::generate()?, random::id("key_")?);
    let renew = |old: &ApiKey| {
        let (project, name) = (old.project_id.clone(), old.name.clone());
        let masked = plain.masked();
        let new = ApiKey::new(id, project, name, now, options.expires_at, masked);
        (new, plain.sha256())
    };
    // A time past all times is never.
    let ends_at = now.checked_add(options.grace).unwrap_or(Timestamp::MAX);
    let rotated = store
        .rotate_key(
            &Author::cli(now),
            None,
            &options.id,
            ends_at,
            renew,
            UNLIMITED,
        )
        .await?;
    let (old, new) = (&rotated.old, &rotated.new);
    Ok(options.format.one(
        &serde_json::json!({
            "old_key": old,
            "new_key": Created { record: new, key: plain.reveal() },
        }),
        &[
            ("old id", old.id.as_str()),
            (
                "works until",
                &optional(old.lifecycle.expires_at, "for good"),
            ),
            ("new id", new.id.as_str()),
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
