//! Connections that bring nothing: they are closed, and hold up nobody.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use stack::certificates::Authority;

use crate::rig::program::Database;

const PATIENCE: Duration = Duration::from_secs(15);

/// Reads until the server closes; what it said, and how long it took.
fn until_closed(stream: &mut TcpStream) -> (Vec<u8>, Duration) {
    let begun = Instant::now();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut said = Vec::new();
    // A reset is an end, too.
    if let Err(error) = stream.read_to_end(&mut said) {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
    }
    (said, begun.elapsed())
}

fn connect(url: &str) -> TcpStream {
    let (_, address) = url.split_once("://").unwrap();
    TcpStream::connect(address).unwrap()
}

#[test]
fn a_connection_without_a_whole_first_request_is_closed() {
    let database = Database::fresh();
    let server = database.serve(&["--connect-timeout", "1s"]);
    for url in [&server.public, &server.edge] {
        for said_first in [
            &b""[..],
            b"GET /healthz HTTP/1.1\r\nhost: x\r\n",
            b"PRI * HT",
        ] {
            let mut stream = connect(url);
            stream.write_all(said_first).unwrap();
            let (said, took) = until_closed(&mut stream);
            assert_eq!(said, b"", "{:?}", said_first.escape_ascii());
            let range = Duration::from_millis(500)..Duration::from_secs(5);
            assert!(range.contains(&took), "{took:?}");
        }
    }
}

#[test]
fn a_kept_connection_is_closed_when_it_idles_or_dribbles() {
    let database = Database::fresh();
    let server = database.serve(&["--idle-timeout", "1s"]);
    for said_next in [&b""[..], b"GET /healthz HTTP/1.1\r\nhost: x\r\n"] {
        let mut stream = connect(&server.public);
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
            .unwrap();
        let mut head = [0; 15];
        stream.read_exact(&mut head).unwrap();
        assert_eq!(&head, b"HTTP/1.1 200 OK");
        stream.write_all(said_next).unwrap();
        let (_, took) = until_closed(&mut stream);
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
}

#[test]
fn a_handshake_that_never_comes_is_given_up_and_counted() {
    let database = Database::fresh();
    let files = Authority::new().issue(&["localhost"]);
    let files = files.write(&database.path("."), "public");
    let server = database.serve(&[
        "--connect-timeout",
        "1s",
        "--metrics-listen",
        "127.0.0.1:0",
        "--tls-cert",
        files.certificate.to_str().unwrap(),
        "--tls-key",
        files.key.to_str().unwrap(),
    ]);
    let mut silent = connect(&server.public);
    assert!(until_closed(&mut silent).1 < Duration::from_secs(5));
    let mut wrong = connect(&server.public);
    wrong.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    until_closed(&mut wrong);
    let mut metrics = connect(server.metrics.as_deref().unwrap());
    metrics
        .write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .unwrap();
    let text = String::from_utf8(until_closed(&mut metrics).0).unwrap();
    for reason in ["handshake", "handshake_timeout"] {
        let series = format!(r#"connections_failed_total{{port="public",reason="{reason}"}} 1"#);
        assert!(text.contains(&series), "{text}");
    }
}

#[test]
fn connections_without_a_request_do_not_hold_up_a_shutdown() {
    let database = Database::fresh();
    let files = Authority::new().issue(&["localhost"]);
    let files = files.write(&database.path("."), "edge");
    let mut server = database.serve(&[
        "--connect-timeout",
        "5m",
        "--drain-timeout",
        "5m",
        "--edge-tls-cert",
        files.certificate.to_str().unwrap(),
        "--edge-tls-key",
        files.key.to_str().unwrap(),
    ]);
    let _silent = [&server.public, &server.edge].map(|url| connect(url));
    // Accepted in order: once this one is answered, the others are in.
    let mut last = connect(&server.public);
    last.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    last.read_exact(&mut [0; 15]).unwrap();
    let asked = Instant::now();
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
    assert!(
        asked.elapsed() < Duration::from_secs(5),
        "{:?}",
        asked.elapsed()
    );
    assert!(!server.log().contains("in flight"), "{}", server.log());
}
