//! A PostgreSQL database for one test, on a server that all tests of this program share.

use std::{
    future::Future,
    io::Write as _,
    process::Stdio,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use sqlx::{
    AnyConnection, AssertSqlSafe, Connection as _, Executor as _, any::install_default_drivers,
};
use stack::postgres_server::PostgresServer;

/// Never dropped: it ends with the program, however that ends.
static SHARED: LazyLock<PostgresServer> = LazyLock::new(PostgresServer::start);

/// A database of its own at a server, not set up yet; dropped with this.
pub(crate) struct TestDatabase {
    url: String,
    /// Its name, if it was made for the test.
    made: Option<String>,
}

impl TestDatabase {
    /// Begins a transaction that keeps every other writer out.
    pub(crate) const BEGIN_CHANGE: &str =
        "BEGIN; SELECT value FROM revision WHERE id = 1 FOR UPDATE";

    /// What a command says that does not set one up.
    pub(crate) const NOT_SET_UP: &str = "is empty; start `serve`";

    pub(crate) fn fresh() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        administer(format!("CREATE DATABASE {name}"));
        Self {
            url: SHARED.url(&name),
            made: Some(name),
        }
    }

    /// The database of a server of the test's own.
    pub(crate) fn at(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            made: None,
        }
    }

    /// As `--database` takes it.
    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// All of it, by `pg_dump`.
    pub(crate) fn copy(&self) -> Vec<u8> {
        let mut dump = SHARED.client("pg_dump");
        let output = dump.args(["--format", "custom", &self.url]).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{output:?}");
        output.stdout
    }

    /// Puts a copy in its place, by `pg_restore`; whoever is connected is thrown out.
    pub(crate) fn put_back(&self, copy: &[u8]) {
        let name = self.made.as_ref().unwrap();
        administer(format!("DROP DATABASE {name} WITH (FORCE)"));
        administer(format!("CREATE DATABASE {name}"));
        let mut restore = SHARED.client("pg_restore");
        restore.args(["--exit-on-error", "--dbname", &self.url]);
        let mut child = restore.stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(copy).unwrap();
        assert!(child.wait().unwrap().success());
    }

    /// Whether anybody set it up.
    pub(crate) async fn is_set_up(&self) -> bool {
        let query = sqlx::query_scalar("SELECT to_regclass('revision') IS NOT NULL");
        query.fetch_one(&mut self.connect().await).await.unwrap()
    }

    /// A connection of its own to it, to look at or break what the program cannot.
    pub(crate) async fn connect(&self) -> AnyConnection {
        connect(&self.url()).await
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // What a failed test leaves may be looked at for as long as the others run.
        if let Some(name) = self.made.take().filter(|_| !thread::panicking()) {
            administer(format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

pub(crate) async fn connect(url: &str) -> AnyConnection {
    install_default_drivers();
    AnyConnection::connect(url).await.unwrap()
}

fn administer(statement: String) {
    wait_for(async move {
        let mut connection = connect(&SHARED.url("postgres")).await;
        connection.execute(AssertSqlSafe(statement)).await.unwrap();
    });
}

/// Waits for `work`, whether or not this thread serves other futures.
fn wait_for(work: impl Future<Output = ()> + Send) {
    thread::scope(|scope| {
        scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(work);
        });
    });
}
