//! What the database says: all of it, for whoever runs the control plane.

use edge_api::{check::Subject, id::Id, key_sha256::KeySha256};
use jiff::Timestamp;

use super::{
    key::PresentedKey,
    known::{Facts, InForce, KeyState, Place, Unknown},
};
use crate::{
    client::target::Target,
    clock::{Clock as _, SystemClock},
    model::api_key::{KeyStatus, Lifecycle},
    public::enforcement,
    store::{DatabaseUrl, Store},
};

/// Looks into the database at `url` for the key and what `gateway` names.
pub(super) async fn ask(
    url: &DatabaseUrl,
    gateway: &Target,
    key: Option<&PresentedKey>,
) -> Result<Facts, Unknown> {
    let store = Store::open_to_read(url).await?;
    let sha256 = key
        .and_then(PresentedKey::plain)
        .map(crate::key::PlainKey::sha256);
    let facts = read(&store, gateway, sha256, SystemClock.now()).await;
    store.close().await;
    facts
}

async fn read(
    store: &Store,
    gateway: &Target,
    sha256: Option<KeySha256>,
    now: Timestamp,
) -> Result<Facts, Unknown> {
    let found = match sha256 {
        Some(sha256) => store.key_by_sha256(sha256).await?,
        None => None,
    };
    let key = match (&found, sha256) {
        (_, None) => KeyState::None,
        (None, Some(_)) => KeyState::Unknown,
        (Some(key), Some(_)) => state(&key.lifecycle, now),
    };
    let of_key = found.map(|key| key.project_id);
    let (place, project) = place(store, &gateway.ids(), of_key).await?;
    let (required, in_force) = match project {
        Some(project) => {
            let config = store.project_config(&project).await?.config;
            let in_force = enforcement::InForce::read(store, &project, now).await?;
            let (envoys, envoys_in_force) = in_force.envoys();
            (
                Some(config.require_mcp_api_key),
                Some(InForce {
                    envoys,
                    envoys_in_force,
                }),
            )
        }
        None => (None, None),
    };
    Ok(Facts {
        key,
        place,
        required,
        in_force,
    })
}

fn state(lifecycle: &Lifecycle, now: Timestamp) -> KeyState {
    let at = |time: Option<Timestamp>| time.unwrap_or(now);
    match lifecycle.status(now) {
        KeyStatus::Live => KeyState::Live,
        KeyStatus::Revoked => KeyState::Revoked(at(lifecycle.revoked_at)),
        KeyStatus::Expired => KeyState::Expired(at(lifecycle.expires_at)),
        KeyStatus::Disabled => KeyState::Disabled(at(lifecycle.disabled_at)),
    }
}

/// What the ids name, and whose policy counts.
async fn place(
    store: &Store,
    ids: &[Id],
    of_key: Option<Id>,
) -> Result<(Place, Option<Id>), Unknown> {
    for id in ids {
        for (subject, named) in [
            (Subject::ProjectId(id.clone()), Place::Project(id.clone())),
            (Subject::ServerId(id.clone()), Place::Server(id.clone())),
        ] {
            let Some(project) = store.snapshot(&subject, None).await?.project else {
                continue;
            };
            let place = match of_key {
                Some(of_key) if of_key != project.id => Place::Elsewhere {
                    named: id.clone(),
                    of_project: project.id.clone(),
                    of_key,
                },
                _ => named,
            };
            return Ok((place, Some(project.id)));
        }
    }
    Ok((Place::Nobody, of_key))
}
