//! What is said of a server that cannot be used.

use control_plane::store::DatabaseUrl;
use stack::{
    deadline::{PATIENCE, eventually},
    postgres_server::{PASSWORD, PostgresServer},
};

use crate::{TestDatabase, rig::program::Database};

#[test]
fn what_cannot_be_opened_is_one_clear_line_without_the_password() {
    let database = Database::fresh();
    let good = database.database.url();
    let url: DatabaseUrl = good.parse().unwrap();
    let (server, options) = good.split_once('?').unwrap();
    let other_database = format!("{}/nowhere?{options}", server.rsplit_once('/').unwrap().0);
    let other_server = format!("{server}?host=/no/such/folder");
    for (url, reason) in [
        (&*other_database, "database \"nowhere\" does not exist"),
        (&*other_server, "No such file or directory"),
    ] {
        let finished = database.try_run(&["org", "create", "--name", "O", "--database", url]);
        assert_eq!(finished.status.code(), Some(1));
        let line = &finished.stderr;
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(
            line.contains(
                "error: cannot open the database postgres://postgres:***@localhost:5432/"
            ),
            "{line}"
        );
        assert!(line.contains(reason), "{line}");
        assert!(!line.contains(PASSWORD), "{line}");
    }
    let finished = database.try_run(&["backup", "--to", "copy"]);
    assert_eq!(
        finished.stderr,
        format!(
            "error: `backup` copies SQLite databases; {url} is PostgreSQL: use pg_dump, which copies it while it is in use\n"
        )
    );
    assert!(!database.path("copy").exists());
}

#[tokio::test]
async fn tls_is_used_where_it_is_asked_for_and_only_with_a_server_that_is_vouched_for() {
    let postgres = PostgresServer::start_with_tls();
    let url = postgres.tls_url("postgres");
    let vouched = format!(
        "{url}?sslmode=verify-full&sslrootcert={}",
        postgres.authority().display()
    );
    let database = Database::from(TestDatabase::at(&vouched));
    database.seed();
    let _server = database.serve(&[]);
    let mut look = TestDatabase::at(&postgres.url("postgres")).connect().await;
    // Reading, writing, checking and listening.
    let clients = "SELECT count(*) FILTER (WHERE ssl), count(*) FILTER (WHERE NOT ssl)
                   FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
    eventually(PATIENCE, "it listens", async || {
        let (encrypted, plain): (i64, i64) =
            sqlx::query_as(clients).fetch_one(&mut look).await.unwrap();
        assert_eq!(plain, 0);
        (encrypted >= 3).then_some(())
    })
    .await;

    let unknown = format!("{url}?sslmode=verify-full");
    let other_name = vouched.replace("localhost", "127.0.0.1");
    for url in [&unknown, &other_name] {
        let finished = database.try_run(&["list", "orgs", "--database", url]);
        assert_eq!(finished.status.code(), Some(1));
        let line = &finished.stderr;
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(line.contains("certificate"), "{line}");
    }
}
