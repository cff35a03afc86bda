//! Fills a database that a control plane has set up: in bulk, past the control plane, which would take hours.

use edge_api::check::Verdict;
use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _};

use super::population::{ORGANISATION, Population};
use super::site::Database;

/// Rows of one statement.
const ROWS: usize = 1_000;
/// When everything was created, in milliseconds: 2026-01-01.
const CREATED: u64 = 1_767_225_600_000;
/// When keys ended that have ended, a day later.
const ENDED: u64 = CREATED + 86_400_000;

/// Puts the whole population in.
pub(super) async fn fill(database: Database, url: &str, population: Population) {
    install_default_drivers();
    let connected = AnyConnection::connect(url).await;
    let mut connection = connected.expect("the database to fill");
    let (before, after) = match database {
        // The indexes are filled in memory and written once.
        Database::Sqlite => (
            "PRAGMA cache_size = -2000000",
            "PRAGMA wal_checkpoint(TRUNCATE)",
        ),
        // What autovacuum would do, before it does it while we measure.
        Database::Postgres => ("", "VACUUM ANALYZE; CHECKPOINT"),
    };
    run(&mut connection, before).await;
    run(&mut connection, "BEGIN").await;
    run(
        &mut connection,
        &format!("INSERT INTO organisations (id, name, created_at) VALUES ('{ORGANISATION}', 'bench', {CREATED})"),
    )
    .await;
    let projects: Vec<_> = (0..population.projects).collect();
    for numbers in projects.chunks(ROWS) {
        let rows = numbers.iter().map(|number| {
            let id = Population::project(*number);
            format!("('{id}', '{ORGANISATION}', 'bench', {CREATED}, 1, 0, 1, 'show_all')")
        });
        let columns = "id, organisation_id, name, created_at, require_mcp_api_key, is_2fa_enabled, \
                       mask_secret_keys_in_connected_account, log_visibility_setting";
        run(&mut connection, &insert("projects", columns, rows)).await;
    }
    let keys: Vec<_> = (0..population.keys).collect();
    for numbers in keys.chunks(ROWS) {
        let rows = numbers
            .iter()
            .map(|key| key_row(database, population, *key));
        let columns =
            "id, project_id, name, sha256, created_at, expires_at, revoked_at, disabled_at";
        run(&mut connection, &insert("api_keys", columns, rows)).await;
    }
    run(&mut connection, "COMMIT").await;
    for statement in after.split(';') {
        run(&mut connection, statement).await;
    }
    connection.close().await.expect("the database is filled");
}

fn key_row(database: Database, population: Population, key: u64) -> String {
    let project = Population::project(population.project_of(key));
    let hex = Population::hash(key).to_hex();
    let hash = match database {
        Database::Sqlite => format!("x'{hex}'"),
        Database::Postgres => format!("'\\x{hex}'"),
    };
    let verdict = population.verdict(key);
    let ended = |by| {
        if verdict == by {
            ENDED.to_string()
        } else {
            "NULL".to_owned()
        }
    };
    format!(
        "('key_{key:07}', '{project}', 'bench', {hash}, {CREATED}, {}, {}, {})",
        ended(Verdict::Expired),
        ended(Verdict::Revoked),
        ended(Verdict::Disabled),
    )
}

fn insert(table: &str, columns: &str, rows: impl Iterator<Item = String>) -> String {
    let rows: Vec<_> = rows.collect();
    format!("INSERT INTO {table} ({columns}) VALUES {}", rows.join(", "))
}

async fn run(connection: &mut AnyConnection, statement: &str) {
    let statement = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()));
    let done = connection.execute(statement).await;
    done.unwrap_or_else(|error| panic!("cannot fill the database: {error}"));
}
