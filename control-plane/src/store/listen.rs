//! What PostgreSQL tells of commits. It is a hint that carries nothing: what changed is read.

use std::{convert::Infallible, time::Duration};

use sqlx::{
    Postgres,
    pool::PoolOptions,
    postgres::{PgListener, PgPool},
};
use tokio::{sync::Notify, time::sleep};
use tracing::{debug, info, warn};

use super::PostgresUrl;

/// What the trigger on the table `revision` notifies.
const CHANNEL: &str = "mcp_key_auth_revision";
/// How long to wait before connecting again.
const PAUSE: Duration = Duration::from_millis(200);

/// Signals `told` after every commit that PostgreSQL tells of, and after each time when some may have
/// been missed. Never ends.
pub(super) async fn listen(url: &PostgresUrl, told: &Notify) -> Infallible {
    let mut listening = true;
    loop {
        let error = match one_connection(url).await {
            Ok(pool) => match hear(&pool, told, &mut listening).await {
                Ok(never) => match never {},
                Err(error) => error,
            },
            Err(error) => error,
        };
        if listening {
            warn!(%error, "PostgreSQL tells of no commits; the database is asked now and then instead");
        }
        listening = false;
        sleep(PAUSE).await;
    }
}

async fn one_connection(url: &PostgresUrl) -> sqlx::Result<PgPool> {
    let pool = PoolOptions::<Postgres>::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None);
    Ok(pool.connect_lazy_with(url.native_options()?))
}

async fn hear(pool: &PgPool, told: &Notify, listening: &mut bool) -> sqlx::Result<Infallible> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    if !*listening {
        info!("PostgreSQL tells of commits again");
    }
    *listening = true;
    loop {
        // Also at first, and when there was nothing but a new connection: commits may have gone
        // unheard before it. Those from here on are heard.
        told.notify_one();
        if listener.try_recv().await?.is_some() {
            debug!("PostgreSQL tells of a commit");
        }
        while listener.next_buffered().is_some() {}
    }
}
