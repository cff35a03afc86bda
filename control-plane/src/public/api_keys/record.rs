//! A key as the API shows it.

use edge_api::id::Id;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    key::PlainKey,
    model::{
        api_key::{ApiKey, KeyStatus},
        masked_key::MaskedKey,
        name::Name,
    },
    public::authenticate::Caller,
};

/// What is known of a key, which is not the key itself.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(in crate::public) struct ApiKeyRecord {
    /// Names the key without revealing it.
    #[schema(value_type = String, example = "key_4fZ0cL2mXv7QpT9aBd1E")]
    id: Id,
    /// For people; need not be unique.
    #[schema(value_type = String, example = "ci")]
    name: Name,
    /// The key's prefix and its last four characters.
    #[schema(value_type = String, example = "ak_…ZRME")]
    masked_key: MaskedKey,
    /// Whether it opens the project at this moment. Of several reasons against it the most final one is named.
    status: KeyStatus,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// From when on it is refused; `null`: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// When it was switched off; `null`: it is on.
    #[schema(value_type = Option<String>, format = DateTime)]
    disabled_at: Option<Timestamp>,
    /// When it was revoked, for good; `null`: it was not.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
    /// When a request to an MCP server with it was last counted; `null`: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    /// The id of the key that it was rotated to; `null`: it was not.
    #[schema(value_type = Option<String>)]
    replaced_by: Option<Id>,
    /// Whether it is the key that this request was made with.
    is_presented_key: bool,
}

/// A new key, with the key itself.
#[derive(Serialize, ToSchema)]
pub(in crate::public) struct NewApiKey {
    #[serde(flatten)]
    record: ApiKeyRecord,
    /// The key. It cannot be shown again.
    #[schema(example = "ak_your_api_key")]
    key: String,
}

impl ApiKeyRecord {
    /// The key as that caller is shown it.
    pub(in crate::public) fn of(key: ApiKey, caller: &Caller) -> Self {
        Self {
            is_presented_key: caller.author.actor.key_id() == Some(&key.id),
            status: key.lifecycle.status(caller.author.at),
            id: key.id,
            name: key.name,
            masked_key: key.masked_key,
            created_at: key.created_at,
            expires_at: key.lifecycle.expires_at,
            disabled_at: key.lifecycle.disabled_at,
            revoked_at: key.lifecycle.revoked_at,
            last_used_at: key.last_used_at,
            replaced_by: key.replaced_by,
        }
    }
}

impl NewApiKey {
    /// The key as its creator is shown it, this once.
    pub(in crate::public) fn of(key: ApiKey, plain: &PlainKey, caller: &Caller) -> Self {
        Self {
            record: ApiKeyRecord::of(key, caller),
            key: plain.reveal().to_owned(),
        }
    }
}
