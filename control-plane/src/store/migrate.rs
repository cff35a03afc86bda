//! Bringing the schema up to date.

use sqlx::{AnyConnection, Connection as _, migrate::MigrateError};

use super::{
    DatabaseUrl, OpenError, WhenMissing, connect,
    dialect::{Dialect, Purpose},
};

/// Applies all missing migrations, or none of them, in one transaction that no other process can be in.
pub(super) async fn migrate(url: &DatabaseUrl, missing: WhenMissing) -> Result<(), OpenError> {
    let open_error = |error| OpenError::Open(url.clone(), error);
    let mut connection = connect::connection(url, Purpose::Migrate)
        .await
        .map_err(open_error)?;
    if missing == WhenMissing::Refuse && is_empty(url, &mut connection).await.map_err(open_error)? {
        return Err(OpenError::Empty(url.clone()));
    }
    let dialect = url.dialect();
    let mut transaction = connection
        .begin_with(dialect.begin_migrations())
        .await
        .map_err(open_error)?;
    dialect
        .migrations()
        .run_direct(None, &mut *transaction, false)
        .await
        .map_err(|error| match error {
            MigrateError::VersionMissing(version) => OpenError::Newer(url.clone(), version),
            other => OpenError::Migrate(url.clone(), other),
        })?;
    transaction.commit().await.map_err(open_error)?;
    connection.close().await.map_err(open_error)
}

/// Whether a database at a server was never set up. A file's absence was noticed before.
async fn is_empty(url: &DatabaseUrl, connection: &mut AnyConnection) -> sqlx::Result<bool> {
    match url.dialect() {
        Dialect::Sqlite => Ok(false),
        Dialect::Postgres => {
            sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NULL")
                .fetch_one(connection)
                .await
        }
    }
}
