//! `ready`: what a container's health check asks, by exit code.

use sqlx::Executor as _;
use stack::certificates::Authority;

use crate::rig::program::{Database, Finished};

fn ask(database: &Database, url: &str, more: &[&str]) -> Finished {
    let (_, address) = url.split_once("://").unwrap();
    database.try_run(&[&["ready", "--listen", address], more].concat())
}

#[tokio::test]
async fn a_server_is_ready_when_its_database_is() {
    let database = Database::fresh();
    let server = database.serve(&[]);
    let finished = ask(&database, &server.public, &[]);
    assert_eq!(finished.status.code(), Some(0), "{}", finished.stderr);
    let mut connection = database.database.connect().await;
    connection
        .execute("ALTER TABLE revision RENAME TO lost")
        .await
        .unwrap();
    let finished = ask(&database, &server.public, &[]);
    assert_eq!(finished.status.code(), Some(1));
    assert_eq!(
        finished.stderr,
        "error: the server is not ready: it answers 503\n"
    );
    drop(server);
    let finished = ask(&database, "http://127.0.0.1:9", &[]);
    assert_eq!(finished.status.code(), Some(1));
    assert!(
        finished.stderr.contains("nothing listens at 127.0.0.1:9"),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_server_with_tls_is_known_by_its_certificate() {
    let database = Database::fresh();
    let authority = Authority::new();
    let folder = database.path(".");
    // For the names that others call it by; this machine is none of them.
    let own = authority
        .issue(&["control-plane.example"])
        .write(&folder, "own");
    let other = authority
        .issue(&["control-plane.example"])
        .write(&folder, "other");
    let own_path = own.certificate.to_str().unwrap();
    let server = database.serve(&[
        "--tls-cert",
        own_path,
        "--tls-key",
        own.key.to_str().unwrap(),
    ]);
    for (certificate, code) in [(own_path, 0), (other.certificate.to_str().unwrap(), 1)] {
        let finished = ask(&database, &server.public, &["--tls-cert", certificate]);
        assert_eq!(finished.status.code(), Some(code), "{}", finished.stderr);
    }
    let finished = ask(&database, &server.public, &["--tls-cert", "/no/such.pem"]);
    assert!(
        finished
            .stderr
            .starts_with("error: --tls-cert /no/such.pem: "),
        "{}",
        finished.stderr
    );
}
