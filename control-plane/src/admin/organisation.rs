//! `org create`.

use jiff::Timestamp;

use super::{AdminError, command::CreateOrg, output::Output};
use crate::{
    model::{audit::Author, organisation::Organisation},
    random,
    store::Store,
};

pub(super) async fn create(
    store: &Store,
    options: CreateOrg,
    now: Timestamp,
) -> Result<Output, AdminError> {
    let organisation = Organisation {
        id: options.id.map_or_else(|| random::id("org_"), Ok)?,
        name: options.name,
        created_at: options.created_at.unwrap_or(now),
    };
    store
        .create_organisation(&Author::cli(now), &organisation)
        .await?;
    Ok(options.format.one(
        &organisation,
        &[
            ("organisation", organisation.id.as_str()),
            ("name", organisation.name.as_str()),
            ("created at", &organisation.created_at.to_string()),
        ],
    ))
}
