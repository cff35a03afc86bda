//! Sessions of the dashboard. Only hashes of tokens come in here; a raw token never does.

use edge_api::id::Id;
use jiff::Timestamp;
use sqlx::{Row as _, any::AnyRow};

use super::{Entity, Store, StoreError, column};
use crate::{
    model::session::{Session, SessionKey},
    session_token::TokenSha256,
};

/// How many sessions one key may have; the oldest make room for new ones.
const MAX_PER_KEY: i64 = 50;

impl Store {
    /// Adds a session. Those that have ended are forgotten, and of a key with too many the oldest.
    pub async fn create_session(
        &self,
        session: &Session,
        token: TokenSha256,
    ) -> Result<(), StoreError> {
        let (kind, key) = match &session.key {
            SessionKey::Project(id) => ("project", id),
            SessionKey::Organisation(id) => ("organisation", id),
        };
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM dashboard_sessions WHERE expires_at <= $1")
            .bind(session.created_at.as_millisecond())
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "DELETE FROM dashboard_sessions WHERE id IN (
                 SELECT id FROM dashboard_sessions WHERE key_id = $1
                 ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3)",
        )
        .bind(key.as_str())
        .bind(i64::MAX)
        .bind(MAX_PER_KEY - 1)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "INSERT INTO dashboard_sessions (id, token_sha256, key_kind, key_id, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(session.id.as_str())
        .bind(token.0.to_vec())
        .bind(kind)
        .bind(key.as_str())
        .bind(session.created_at.as_millisecond())
        .bind(session.expires_at.as_millisecond())
        .execute(&mut *transaction)
        .await
        .map_err(|error| StoreError::on_insert(error, Entity::Session, &session.id))?;
        transaction.commit().await?;
        Ok(())
    }

    /// The session with that token, if it has not ended by time. Its key may have.
    pub async fn session(
        &self,
        token: TokenSha256,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        sqlx::query(
            "SELECT id, key_kind, key_id, created_at, expires_at
             FROM dashboard_sessions WHERE token_sha256 = $1 AND expires_at > $2",
        )
        .bind(token.0.to_vec())
        .bind(now.as_millisecond())
        .fetch_optional(&self.reads)
        .await?
        .as_ref()
        .map(read)
        .transpose()
    }

    /// Ends the session with that id, if there is one.
    pub async fn end_session(&self, id: &Id) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM dashboard_sessions WHERE id = $1")
            .bind(id.as_str())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}

fn read(row: &AnyRow) -> Result<Session, StoreError> {
    let key_id = column::id(row, "key_id")?;
    Ok(Session {
        id: column::id(row, "id")?,
        key: match row.try_get("key_kind")? {
            "project" => SessionKey::Project(key_id),
            "organisation" => SessionKey::Organisation(key_id),
            other => return Err(column::corrupt("dashboard_sessions.key_kind", &other)),
        },
        created_at: column::time(row, "created_at")?,
        expires_at: column::time(row, "expires_at")?,
    })
}
