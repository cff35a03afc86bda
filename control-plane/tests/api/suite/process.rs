//! The server as a process: its ports, its signals, its neighbours on the same database.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    time::{Duration, Instant},
};

use reqwest::Client;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::rig::{
    app::{CONFIG, EDGE_TOKEN},
    program::{Database, Server, finish},
};

#[tokio::test]
async fn a_server_and_the_commands_work_on_one_database() {
    let database = Database::fresh();
    let server = database.serve(&[]);
    let (id, key) = database.seed();
    let change = json!({"require_mcp_api_key": false});
    let reply = server.patch(&key, &change).send().await.unwrap();
    assert_eq!(reply.status(), 200);

    let policy = json!({"subject": {"project_id": "pr_a"}, "key_sha256": null});
    let answer = server.check(&policy).await;
    assert_eq!(
        answer["project"],
        json!({"id": "pr_a", "require_mcp_api_key": false})
    );
    let known = answer["revision"].as_u64().unwrap();

    let mut poll = Box::pin(server.changes(known, 60_000));
    let early = timeout(Duration::from_millis(300), &mut poll).await;
    assert!(early.is_err(), "nothing changed yet: {early:?}");
    database.run(&["key", "revoke", "--id", &id]);
    let committed = Instant::now();
    let told = timeout(Duration::from_secs(10), poll)
        .await
        .expect("the poll must wake");
    let late = committed.elapsed();
    assert!(
        late < Duration::from_secs(1),
        "told {late:?} after the command ended"
    );
    assert_eq!(
        told["changes"],
        json!([{"project_id": "pr_a", "revision": known + 1}])
    );

    let settings = Client::new()
        .get(format!("{}{CONFIG}", server.public))
        .header("x-api-key", &key);
    assert_eq!(settings.send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn the_edge_api_speaks_http_2_without_tls() {
    let database = Database::fresh();
    let server = database.serve(&[]);
    let client = Client::builder().http2_prior_knowledge().build().unwrap();
    let reply = client
        .get(format!("{}/healthz", server.edge))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (reply.status().as_u16(), reply.version()),
        (200, reqwest::Version::HTTP_2)
    );
}

#[tokio::test]
async fn sigterm_ends_long_polls_at_once_and_the_server_cleanly() {
    for signal in ["TERM", "INT"] {
        let database = Database::fresh();
        let mut server = database.serve(&[]);
        let url = format!("{}/edge/v1/changes?after=0&wait_ms=60000", server.edge);
        let poll = tokio::spawn(Client::new().get(url).bearer_auth(EDGE_TOKEN).send());
        // A kept connection without a request must not hold the server up either.
        let idle = Client::new();
        idle.get(format!("{}/healthz", server.public))
            .send()
            .await
            .unwrap();
        tokio::time::timeout(Duration::from_millis(300), std::future::pending::<()>())
            .await
            .unwrap_err();
        assert!(!poll.is_finished(), "nothing changed yet");

        server.signal(signal);
        let reply = timeout(Duration::from_secs(5), poll)
            .await
            .expect("the poll must end")
            .unwrap()
            .unwrap();
        assert_eq!(reply.status(), 200);
        let answer: Value = reply.json().await.unwrap();
        assert_eq!(
            answer,
            json!({"incarnation": answer["incarnation"], "revision": 0, "changes": [], "reset": false})
        );
        let asked = Instant::now();
        assert_eq!(server.wait().code(), Some(0));
        assert!(
            asked.elapsed() < Duration::from_secs(5),
            "{:?}",
            asked.elapsed()
        );
        assert!(!server.ready_file.exists(), "the ready file is removed");
        assert!(server.log().contains("stopped"), "{}", server.log());
    }
}

#[test]
fn a_request_that_never_ends_does_not_hold_up_a_shutdown() {
    let database = Database::fresh();
    let (_, key) = database.seed();
    let mut server = database.serve(&["--drain-timeout", "1s", "--request-timeout", "5m"]);
    let mut stream = unfinished_patch(&server, &key);
    // The server has the request once it asks for the rest of the body.
    let mut reply = [0; 25];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(&reply[..], b"HTTP/1.1 100 Continue\r\n\r\n");
    let asked = Instant::now();
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
    let took = asked.elapsed();
    assert!(
        (Duration::from_millis(900)..Duration::from_secs(5)).contains(&took),
        "{took:?}"
    );
    assert!(
        server.log().contains("stopped with requests in flight"),
        "{}",
        server.log()
    );
}

#[test]
fn a_request_that_never_ends_is_ended_with_an_envelope() {
    let database = Database::fresh();
    let (_, key) = database.seed();
    let server = database.serve(&["--request-timeout", "1s"]);
    let mut stream = unfinished_patch(&server, &key);
    let mut reply = String::new();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    stream.read_to_string(&mut reply).unwrap();
    assert!(
        reply.contains("HTTP/1.1 503 Service Unavailable"),
        "{reply}"
    );
    let body: Value = serde_json::from_str(reply.rsplit("\r\n\r\n").next().unwrap()).unwrap();
    assert_eq!(body["error"]["slug"], "TIMEOUT", "{reply}");
    assert!(
        body["error"]["request_id"]
            .as_str()
            .unwrap()
            .starts_with("req_")
    );
}

fn unfinished_patch(server: &Server, key: &str) -> TcpStream {
    let address = server.public.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "PATCH {CONFIG} HTTP/1.1\r\nhost: {address}\r\nx-api-key: {key}\r\ncontent-type: application/json\r\n\
         connection: close\r\nexpect: 100-continue\r\ncontent-length: 100\r\n\r\n"
    )
    .unwrap();
    stream
}

#[test]
fn a_busy_port_is_one_clear_line() {
    let database = Database::fresh();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (flag, other, variable) in [
        ("--listen", "--edge-listen", "MCP_KEY_AUTH_LISTEN"),
        ("--edge-listen", "--listen", "MCP_KEY_AUTH_EDGE_LISTEN"),
    ] {
        let mut command = database.command(&["serve", flag, &address, other, "127.0.0.1:0"]);
        let finished = finish_with_token(&mut command);
        assert_eq!(finished.0, Some(1));
        let line = &finished.1;
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(
            line.starts_with(&format!("error: {flag} {address}: Address already in use")),
            "{line}"
        );
        assert!(line.contains(variable), "{line}");
    }
}

#[test]
fn a_ready_file_of_a_killed_server_is_removed_first() {
    let database = Database::fresh();
    let ready = database.path("ready.json");
    std::fs::write(&ready, "{}").unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command =
        database.command(&["serve", "--listen", &address, "--ready-file", "ready.json"]);
    assert_eq!(finish_with_token(&mut command).0, Some(1));
    assert!(!ready.exists());

    let mut command = database.command(&["serve", "--ready-file", "no/such/folder/ready.json"]);
    command.args(["--listen", "127.0.0.1:0", "--edge-listen", "127.0.0.1:0"]);
    let (code, line) = finish_with_token(&mut command);
    assert_eq!(code, Some(1));
    assert!(
        line.contains("error: --ready-file no/such/folder/ready.json"),
        "{line}"
    );
}

#[tokio::test]
async fn no_server_without_a_good_edge_token() {
    let database = Database::fresh();
    for (token, reason) in [
        (None, "is not set"),
        (Some(""), "is not set"),
        (Some("fifteen-letters"), "is too short"),
        (Some("sixteen letters!!"), "white space"),
    ] {
        let mut command = database.command(&[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--edge-listen",
            "127.0.0.1:0",
        ]);
        if let Some(token) = token {
            command.env("MCP_KEY_AUTH_EDGE_TOKEN", token);
        }
        let finished = finish(command);
        assert_eq!(finished.status.code(), Some(1));
        assert_eq!(finished.stderr.lines().count(), 1, "{}", finished.stderr);
        assert!(
            finished.stderr.contains("MCP_KEY_AUTH_EDGE_TOKEN"),
            "{}",
            finished.stderr
        );
        assert!(finished.stderr.contains(reason), "{}", finished.stderr);
        assert!(token.is_none_or(|token| token.is_empty() || !finished.stderr.contains(token)));
        assert!(!database.database.is_set_up().await, "nothing was begun");
    }
}

#[test]
fn a_bad_flag_is_named() {
    let database = Database::fresh();
    for (flag, value) in [
        ("--listen", "8080"),
        ("--edge-listen", "localhost"),
        ("--metrics-listen", "9090"),
        ("--check-ttl", "2h"),
        ("--negative-ttl", "5"),
        ("--request-timeout", "0s"),
        ("--drain-timeout", "1d"),
        ("--connect-timeout", "0s"),
        ("--idle-timeout", "61m"),
        ("--log-format", "xml"),
        ("--log", "control_plane=loud"),
    ] {
        let finished = database.try_run(&["serve", flag, value]);
        assert_eq!(finished.status.code(), Some(2), "{flag}");
        assert!(finished.stderr.contains(flag), "{}", finished.stderr);
    }
}

#[tokio::test]
async fn ttls_are_taken_from_flags_and_environment() {
    let database = Database::fresh();
    database.seed();
    let server = database.serve(&["--check-ttl", "7s", "--negative-ttl", "1500ms"]);
    let ttl = async |project: &str| {
        let question = json!({"subject": {"project_id": project}, "key_sha256": null});
        server.check(&question).await["ttl_ms"].clone()
    };
    assert_eq!(ttl("pr_a").await, 7_000);
    assert_eq!(ttl("pr_x").await, 1_500);
}

fn finish_with_token(command: &mut std::process::Command) -> (Option<i32>, String) {
    let output = command
        .env("MCP_KEY_AUTH_EDGE_TOKEN", EDGE_TOKEN)
        .output()
        .unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}
