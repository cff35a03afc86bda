//! TLS of both ports: who is let in, what is agreed on, bad files, and renewed ones.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use stack::{
    certificates::{Authority, Certificate},
    deadline::eventually,
    tls_client::TlsClient,
};

use crate::rig::{
    app::EDGE_TOKEN,
    program::{Database, Server, finish},
};

const PATIENCE: Duration = Duration::from_secs(20);
const HTTP_2: &[&str] = &["h2", "http/1.1"];

/// A database, and certificates beside it.
struct World {
    database: Database,
    authority: Authority,
}

impl World {
    fn new() -> Self {
        Self {
            database: Database::fresh(),
            authority: Authority::new(),
        }
    }

    fn folder(&self) -> PathBuf {
        self.database.path(".")
    }

    /// The arguments that give the public port a fresh certificate.
    fn public_tls(&self) -> Vec<String> {
        let files = self.authority.issue(&["localhost"]);
        let files = files.write(&self.folder(), "public");
        flags(&[
            ("--tls-cert", &files.certificate),
            ("--tls-key", &files.key),
        ])
    }

    /// The same for the edge port, which trusts clients of `clients`.
    fn edge_tls(&self, clients: Option<&Authority>) -> Vec<String> {
        let files = self.authority.issue(&["localhost"]);
        let files = files.write(&self.folder(), "edge");
        let mut all = flags(&[
            ("--edge-tls-cert", &files.certificate),
            ("--edge-tls-key", &files.key),
        ]);
        if let Some(clients) = clients {
            let path = self.database.path("clients.pem");
            fs::write(&path, clients.pem()).unwrap();
            all.extend(flags(&[("--edge-tls-client-ca", &path)]));
        }
        all
    }

    fn serve(&self, args: &[String]) -> Server {
        self.database
            .serve(&args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn client(&self, protocols: &[&str]) -> TlsClient {
        TlsClient::new(&self.authority, protocols)
    }
}

fn flags(pairs: &[(&str, &Path)]) -> Vec<String> {
    pairs
        .iter()
        .flat_map(|(flag, path)| [(*flag).to_owned(), path.display().to_string()])
        .collect()
}

/// The address of a port that serves TLS.
fn tls(url: &str) -> SocketAddr {
    url.strip_prefix("https://").unwrap().parse().unwrap()
}

#[tokio::test]
async fn both_ports_speak_http_1_and_2_over_tls() {
    let world = World::new();
    let server = world.serve(&[world.public_tls(), world.edge_tls(None)].concat());
    for url in [&server.public, &server.edge] {
        for (offered, agreed) in [
            (HTTP_2, Some("h2")),
            (&["http/1.1"], Some("http/1.1")),
            (&[], None),
        ] {
            let answer = world
                .client(offered)
                .get(tls(url), "/readyz")
                .await
                .unwrap();
            assert_eq!((answer.status, answer.protocol.as_deref()), (200, agreed));
            assert!(answer.request_id.unwrap().starts_with("req_"));
        }
        let stranger = TlsClient::new(&Authority::new(), HTTP_2);
        let error = stranger.get(tls(url), "/readyz").await.unwrap_err();
        assert!(
            error.to_string().contains("invalid peer certificate"),
            "{error}"
        );
        let in_the_clear = url.replace("https://", "http://");
        assert!(
            reqwest::get(format!("{in_the_clear}/readyz"))
                .await
                .is_err()
        );
    }
}

#[tokio::test]
async fn either_port_can_be_the_one_with_tls() {
    let world = World::new();
    for (args, with, without) in [
        (world.public_tls(), "public", "edge"),
        (world.edge_tls(None), "edge", "public"),
    ] {
        let server = world.serve(&args);
        let url = |port: &str| match port {
            "public" => &server.public,
            _ => &server.edge,
        };
        let answer = world.client(HTTP_2).get(tls(url(with)), "/readyz").await;
        assert_eq!(answer.unwrap().status, 200);
        let clear = reqwest::get(format!("{}/readyz", url(without))).await;
        assert_eq!(clear.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn the_edge_port_takes_only_callers_whose_authority_it_knows() {
    let world = World::new();
    let (clients, strangers) = (Authority::new(), Authority::new());
    let server = world.serve(&world.edge_tls(Some(&clients)));
    let edge = tls(&server.edge);
    let ours = clients.issue(&["envoy"]);
    let expired = clients.issue_expired(&["envoy"]);
    let theirs = strangers.issue(&["envoy"]);
    // A certificate of the server's own authority is none of a client.
    let servers = world.authority.issue(&["envoy"]);
    let showing = |own: &Certificate| TlsClient::showing(&world.authority, HTTP_2, own);
    assert_eq!(
        showing(&ours).get(edge, "/readyz").await.unwrap().status,
        200
    );
    // The certificate does not stand for the token.
    let check = showing(&ours).get(edge, "/edge/v1/changes?after=0").await;
    assert_eq!(check.unwrap().status, 401);
    for (who, client) in [
        ("nobody", world.client(HTTP_2)),
        ("stranger", showing(&theirs)),
        ("expired", showing(&expired)),
        ("server", showing(&servers)),
    ] {
        assert!(client.get(edge, "/readyz").await.is_err(), "{who}");
    }
}

#[tokio::test]
async fn renewed_files_are_taken_over_and_bad_ones_are_not() {
    let world = World::new();
    let server = world.serve(&world.public_tls());
    let shown = async || {
        let client = world.client(HTTP_2);
        let answer = client.get(tls(&server.public), "/healthz").await;
        answer.unwrap().certificate
    };
    let first = shown().await;
    // On change, without being told.
    world.public_tls();
    let second = eventually(PATIENCE, "the renewed certificate", async || {
        let now = shown().await;
        (now != first).then_some(now)
    })
    .await;
    // A key that is not the certificate's: as when a renewal is half done, or has failed.
    let key = world.database.path("public-key.pem");
    let good_key = fs::read(&key).unwrap();
    fs::write(&key, world.authority.issue(&["localhost"]).key).unwrap();
    server.signal("HUP");
    eventually(PATIENCE, "a complaint", async || {
        let complaint = "it is not the private key of the certificate in --tls-cert";
        server.log().contains(complaint).then_some(())
    })
    .await;
    assert_eq!(shown().await, second);
    fs::write(&key, good_key).unwrap();
    world.public_tls();
    server.signal("HUP");
    eventually(
        Duration::from_secs(3),
        "SIGHUP is heeded at once",
        async || (shown().await != second).then_some(()),
    )
    .await;
    assert!(!server.log().contains("PRIVATE KEY"));
}

#[test]
fn bad_files_are_one_clear_line() {
    let world = World::new();
    let (good, other) = (
        world.authority.issue(&["localhost"]),
        world.authority.issue(&["localhost"]),
    );
    let folder = world.folder();
    let good = good.write(&folder, "good");
    let other = other.write(&folder, "other");
    let missing = folder.join("missing.pem");
    let junk = folder.join("junk.pem");
    fs::write(
        &junk,
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    let empty = folder.join("empty.pem");
    fs::write(&empty, "").unwrap();
    for (prefix, ca) in [("--", None), ("--edge-", Some("--edge-tls-client-ca"))] {
        let (cert, key) = (format!("{prefix}tls-cert"), format!("{prefix}tls-key"));
        let pair = |certificate: &Path, private: &Path| {
            flags(&[(cert.as_str(), certificate), (key.as_str(), private)])
        };
        let mut cases = vec![
            (pair(&missing, &good.key), &*cert, "No such file"),
            (pair(&good.certificate, &missing), &*key, "No such file"),
            (pair(&good.key, &good.key), &*cert, "holds no certificate"),
            (
                pair(&junk, &good.key),
                &*cert,
                "name a file with another one",
            ),
            (
                pair(&good.certificate, &good.certificate),
                &*key,
                "holds no private key",
            ),
            (
                pair(&good.certificate, &other.key),
                &*key,
                "is not the private key",
            ),
        ];
        if let Some(ca) = ca {
            for (file, reason) in [(&missing, "No such file"), (&empty, "holds no certificate")] {
                let all = [pair(&good.certificate, &good.key), flags(&[(ca, file)])].concat();
                cases.push((all, ca, reason));
            }
        }
        for (args, flag, reason) in cases {
            let mut command = world.database.command(&["serve"]);
            command.args(["--listen", "127.0.0.1:0", "--edge-listen", "127.0.0.1:0"]);
            command
                .env("MCP_KEY_AUTH_EDGE_TOKEN", EDGE_TOKEN)
                .args(&args);
            let finished = finish(command);
            let line = &finished.stderr;
            assert_eq!(finished.status.code(), Some(1), "{args:?}: {line}");
            assert_eq!(line.lines().count(), 1, "{line}");
            assert!(
                line.starts_with(&format!("error: {flag} ")),
                "{flag}: {line}"
            );
            assert!(line.contains(reason), "{reason}: {line}");
            assert!(line.contains("; name "), "it says what to do: {line}");
        }
    }
}

#[test]
fn one_file_of_a_pair_is_not_enough() {
    let database = Database::fresh();
    for (given, wanted) in [
        ("--tls-cert", "--tls-key"),
        ("--tls-key", "--tls-cert"),
        ("--edge-tls-cert", "--edge-tls-key"),
        ("--edge-tls-key", "--edge-tls-cert"),
        ("--edge-tls-client-ca", "--edge-tls-cert"),
    ] {
        let finished = database.try_run(&["serve", given, "some.pem"]);
        assert_eq!(finished.status.code(), Some(2), "{given}");
        assert!(
            finished.stderr.contains(wanted),
            "{given}: {}",
            finished.stderr
        );
    }
}
