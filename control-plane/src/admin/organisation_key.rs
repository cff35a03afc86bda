//! `org key create`, `list` and `revoke`. **`create` alone prints a raw key.**

use edge_api::key_format::Kind;
use jiff::Timestamp;
use serde::Serialize;

use super::{
    AdminError,
    command::{CreateOrgKey, KeyId, ListOrgKeys},
    output::Output,
};
use crate::{
    key::PlainKey,
    model::{audit::Author, organisation_key::OrganisationKey},
    random,
    store::Store,
};

/// A new key with its raw text.
#[derive(Serialize)]
struct Created<'a> {
    #[serde(flatten)]
    record: &'a OrganisationKey,
    /// The raw key, printed this once.
    key: &'a str,
}

pub(super) async fn create(
    store: &Store,
    options: CreateOrgKey,
    now: Timestamp,
) -> Result<Output, AdminError> {
    let plain = PlainKey::generate_as(Kind::Organisation)?;
    let record = OrganisationKey {
        id: random::id("okey_")?,
        organisation_id: options.org,
        name: options.name,
        masked_key: plain.masked(),
        created_at: now,
        expires_at: options.expires_at,
        revoked_at: None,
    };
    store
        .create_organisation_key(&Author::cli(now), &record, plain.sha256())
        .await?;
    Ok(options.format.one(
        &Created {
            record: &record,
            key: plain.reveal(),
        },
        &[
            ("id", record.id.as_str()),
            ("organisation", record.organisation_id.as_str()),
            ("name", record.name.as_str()),
            ("expires at", &time(record.expires_at, "never")),
            ("key", plain.reveal()),
            ("", "Keep the key now: it cannot be shown again."),
        ],
    ))
}

pub(super) async fn list(store: &Store, options: ListOrgKeys) -> Result<Output, AdminError> {
    let mut keys = store.organisation_keys().await?;
    keys.retain(|key| {
        options
            .org
            .as_ref()
            .is_none_or(|org| *org == key.organisation_id)
    });
    let rows: Vec<_> = keys
        .iter()
        .map(|key| {
            [
                key.id.to_string(),
                key.organisation_id.to_string(),
                key.name.as_str().to_owned(),
                key.masked_key.to_string(),
                time(key.expires_at, "never"),
                time(key.revoked_at, "-"),
            ]
        })
        .collect();
    let head = [
        "ID",
        "ORGANISATION",
        "NAME",
        "KEY",
        "EXPIRES AT",
        "REVOKED AT",
    ];
    Ok(options.format.many(&keys, head, &rows))
}

pub(super) async fn revoke(
    store: &Store,
    options: KeyId,
    now: Timestamp,
) -> Result<Output, AdminError> {
    let key = store
        .revoke_organisation_key(&Author::cli(now), &options.id)
        .await?;
    Ok(options.format.one(
        &key,
        &[
            ("id", key.id.as_str()),
            ("organisation", key.organisation_id.as_str()),
            ("name", key.name.as_str()),
            ("revoked at", &time(key.revoked_at, "-")),
        ],
    ))
}

fn time(time: Option<Timestamp>, none: &str) -> String {
    time.map_or_else(|| none.to_owned(), |time| time.to_string())
}
