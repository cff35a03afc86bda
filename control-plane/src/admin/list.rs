//! `list orgs`, `projects`, `servers` and `keys`.

use jiff::Timestamp;

use super::{
    AdminError,
    output::{Format, Output},
};
use crate::{model::api_key::KeyStatus, store::Store};

pub(super) async fn organisations(store: &Store, format: Format) -> Result<Output, AdminError> {
    let all = store.organisations().await?;
    let rows: Vec<_> = all
        .iter()
        .map(|org| {
            [
                org.id.to_string(),
                org.name.as_str().to_owned(),
                org.created_at.to_string(),
            ]
        })
        .collect();
    Ok(format.many(&all, ["ID", "NAME", "CREATED AT"], &rows))
}

pub(super) async fn projects(store: &Store, format: Format) -> Result<Output, AdminError> {
    let all = store.projects().await?;
    let rows: Vec<_> = all
        .iter()
        .map(|project| {
            [
                project.id.to_string(),
                project.organisation_id.to_string(),
                project.name.as_str().to_owned(),
                project.config.require_mcp_api_key.to_string(),
            ]
        })
        .collect();
    Ok(format.many(&all, ["ID", "ORGANISATION", "NAME", "REQUIRES KEY"], &rows))
}

pub(super) async fn servers(store: &Store, format: Format) -> Result<Output, AdminError> {
    let all = store.servers().await?;
    let rows: Vec<_> = all
        .iter()
        .map(|server| {
            [
                server.id.to_string(),
                server.project_id.to_string(),
                server.name.as_str().to_owned(),
            ]
        })
        .collect();
    Ok(format.many(&all, ["ID", "PROJECT", "NAME"], &rows))
}

pub(super) async fn keys(
    store: &Store,
    format: Format,
    now: Timestamp,
) -> Result<Output, AdminError> {
    let all = store.keys().await?;
    let rows: Vec<_> = all
        .iter()
        .map(|key| {
            [
                key.id.to_string(),
                key.project_id.to_string(),
                key.name.as_str().to_owned(),
                state(key.lifecycle.status(now)).to_owned(),
                key.created_at.to_string(),
                key.lifecycle
                    .expires_at
                    .map_or_else(|| "never".to_owned(), |at| at.to_string()),
            ]
        })
        .collect();
    Ok(format.many(
        &all,
        ["ID", "PROJECT", "NAME", "STATE", "CREATED AT", "EXPIRES AT"],
        &rows,
    ))
}

fn state(status: KeyStatus) -> &'static str {
    match status {
        KeyStatus::Live => "live",
        KeyStatus::Revoked => "revoked",
        KeyStatus::Expired => "expired",
        KeyStatus::Disabled => "disabled",
    }
}
