//! Connections and pools of them, set up for what they are for.

use std::{sync::Once, time::Duration};

use sqlx::{
    AnyConnection, AnyPool, ConnectOptions as _, Connection as _, Executor as _,
    any::{AnyPoolOptions, install_default_drivers},
};

use super::{
    DatabaseUrl,
    dialect::{Dialect, Purpose},
};

/// How long a connection that is given back may take to say that it is well.
const PING_TIMEOUT: Duration = Duration::from_secs(1);

/// One connection.
pub(super) async fn connection(url: &DatabaseUrl, purpose: Purpose) -> sqlx::Result<AnyConnection> {
    install_drivers();
    let mut connection = url.connect_options()?.connect().await?;
    connection.execute(url.dialect().settings(purpose)).await?;
    Ok(connection)
}

/// A pool with one connection for a start.
pub(super) async fn pool(url: &DatabaseUrl, purpose: Purpose) -> sqlx::Result<AnyPool> {
    install_drivers();
    let dialect = url.dialect();
    let settings = dialect.settings(purpose);
    let options = AnyPoolOptions::new()
        .max_connections(dialect.connections(purpose))
        .acquire_timeout(dialect.acquire_timeout(purpose))
        .after_connect(move |connection, _| {
            Box::pin(async move { connection.execute(settings).await.map(drop) })
        });
    let options = match dialect {
        // A connection to a local file does not go stale: asking it first would only cost time.
        Dialect::Sqlite => options
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None),
        // One whose server vanished must not keep its place in the pool until TCP gives up.
        Dialect::Postgres => options.after_release(|connection, _| {
            Box::pin(async move {
                let ping = tokio::time::timeout(PING_TIMEOUT, connection.ping()).await;
                Ok(matches!(ping, Ok(Ok(()))))
            })
        }),
    };
    options.connect_with(url.connect_options()?).await
}

fn install_drivers() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(install_default_drivers);
}
