//! Gateways that are not reached: what a person reads who does not know TLS.

use std::fs;

use stack::certificates::Authority;
use stack::real_control_plane::{Doctor, RealControlPlane};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use super::assert_finds;

async fn assert_not_reached(doctor: &Doctor, says: &str) {
    let examined = doctor.examine().await;
    assert_finds(&examined, 2, "gateway_unreachable");
    assert!(
        examined.step("gateway").1.contains(says),
        "{says}: {}",
        examined.text
    );
    assert!(
        examined.json["says"].as_str().unwrap().contains(says),
        "{}",
        examined.text
    );
}

#[tokio::test]
async fn nobody_there_is_told_in_words() {
    assert_not_reached(
        &Doctor::of("http://127.0.0.1:9/mcp/pr_a"),
        "nothing listens at 127.0.0.1:9",
    )
    .await;
    let unknown = Doctor::of("http://gateway.invalid/mcp/pr_a");
    assert_not_reached(&unknown, "the name gateway.invalid is not known").await;
    // The control plane may be away too: that is told, and the gateway is what counts.
    let examined = unknown
        .key(&stack::keys::mint_key(1))
        .control_plane("http://127.0.0.1:9");
    let examined = examined.examine().await;
    assert_finds(&examined, 2, "gateway_unreachable");
    assert!(
        examined.step("control plane").1.contains("nothing listens"),
        "{}",
        examined.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_speak_http_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 1024]).await;
                let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"220 mail\r\n").await;
            });
        }
    });
    assert_not_reached(
        &Doctor::of(&format!("http://{address}/mcp/pr_a")),
        "does not answer in HTTP",
    )
    .await;
    assert_not_reached(
        &Doctor::of(&format!("https://{address}/mcp/pr_a")),
        "does not speak TLS",
    )
    .await;
}

/// The control plane's own public port stands for a gateway: what matters is its TLS.
#[tokio::test]
async fn certificates_that_are_not_accepted_are_told_in_words() {
    let authority = Authority::new();
    let files = tempfile::tempdir().unwrap();
    let ca = files.path().join("ca.pem");
    fs::write(&ca, authority.pem()).unwrap();
    let ca = ca.to_str().unwrap();
    for (certificate, with_ca, says) in [
        (
            authority.issue(&["127.0.0.1"]),
            false,
            "no authority that this machine trusts",
        ),
        (
            authority.issue(&["gateway.example"]),
            true,
            "it is for another name",
        ),
        (
            authority.issue_expired(&["127.0.0.1"]),
            true,
            "it has expired",
        ),
    ] {
        let tls = certificate.write(files.path(), "tls");
        let server = RealControlPlane::start_with(&[
            "--tls-cert",
            &tls.certificate.to_string_lossy(),
            "--tls-key",
            &tls.key.to_string_lossy(),
        ])
        .await;
        let url = format!("https://{}/mcp/pr_a", server.public_addr());
        let doctor = Doctor::of(&url);
        let doctor = if with_ca {
            doctor.option("--ca", ca)
        } else {
            doctor
        };
        assert_not_reached(&doctor, says).await;
        let in_the_clear = Doctor::of(&url.replace("https", "http"));
        assert_not_reached(&in_the_clear, "write https://").await;
    }
    // With the right name and authority it is reached, and is no gateway.
    let tls = authority.issue(&["127.0.0.1"]).write(files.path(), "tls");
    let server = RealControlPlane::start_with(&[
        "--tls-cert",
        &tls.certificate.to_string_lossy(),
        "--tls-key",
        &tls.key.to_string_lossy(),
    ])
    .await;
    let url = format!("https://{}/mcp/pr_a", server.public_addr());
    let examined = Doctor::of(&url).option("--ca", ca).examine().await;
    assert_finds(&examined, 1, "no_server");
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_before() {
    for (flag, value, code, says) in [
        ("--ca", "/no/such/file.pem", 2, "--ca /no/such/file.pem"),
        ("--header", "x api key", 2, "--header"),
        ("--control-plane", "gateway", 2, "write a URL"),
        (
            "--gateway",
            "http://ak_secret@gateway/",
            2,
            "without a user or password",
        ),
    ] {
        let doctor = match flag {
            "--gateway" => Doctor::of(value),
            _ => Doctor::of("http://127.0.0.1:9/mcp/pr_a").option(flag, value),
        };
        let (found, _, stderr) = doctor.run(&[], None).await;
        assert_eq!(found, code, "{flag}: {stderr}");
        assert!(stderr.contains(says), "{flag}: {stderr}");
        assert!(!stderr.contains("ak_secret"), "{stderr}");
    }
}
