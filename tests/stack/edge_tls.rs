//! The edge API over TLS, as `envoy/edge-tls.yaml` has a real Envoy ask the real control plane.

use std::fs;

use serde_json::{Value, json};
use stack::bootstrap::{self, CONTROL_PLANE};
use stack::certificates::{Authority, Certificate};
use stack::deadline::{PATIENCE, eventually};
use stack::gateway::{Gateway, GatewayOptions};
use stack::real_control_plane::RealControlPlane;
use stack::repo;
use stack::upstream::Upstream;

/// The name that the reference has the control plane's certificate hold.
const NAME: &str = "control-plane.internal";

/// A control plane that asks for a client's certificate, and who vouches for whom.
struct World {
    control_plane: RealControlPlane,
    upstream: Upstream,
    servers: Authority,
    clients: Authority,
    files: tempfile::TempDir,
}

impl World {
    async fn start(name: &str) -> Self {
        let (servers, clients) = (Authority::new(), Authority::new());
        let files = tempfile::tempdir().unwrap();
        let edge = servers.issue(&[name]).write(files.path(), "edge");
        let client_ca = files.path().join("clients.pem");
        fs::write(&client_ca, clients.pem()).unwrap();
        let control_plane = RealControlPlane::start_with(&[
            "--edge-tls-cert",
            &edge.certificate.to_string_lossy(),
            "--edge-tls-key",
            &edge.key.to_string_lossy(),
            "--edge-tls-client-ca",
            &client_ca.to_string_lossy(),
        ])
        .await;
        Self {
            control_plane,
            upstream: Upstream::start().await,
            servers,
            clients,
            files,
        }
    }

    /// A gateway that trusts `servers` and shows `own`.
    async fn gateway(&self, servers: &Authority, own: Option<&Certificate>) -> Gateway {
        let reference = reference(servers, own);
        let options = GatewayOptions::default()
            .control_plane(self.control_plane.edge_addr())
            .upstream(self.upstream.addr())
            .edit(move |envoy| {
                let cluster = bootstrap::cluster(envoy, CONTROL_PLANE);
                cluster["transport_socket"] = reference["transport_socket"].clone();
            });
        Gateway::start(options).await
    }
}

/// `envoy/edge-tls.yaml` with these certificates in the place of its files.
fn reference(servers: &Authority, own: Option<&Certificate>) -> Value {
    let text = fs::read_to_string(repo::path("envoy/edge-tls.yaml")).unwrap();
    let mut reference: Value = yaml_serde::from_str(&text).unwrap();
    let tls = &mut reference["transport_socket"]["typed_config"]["common_tls_context"];
    let place = |place: &mut Value, text: &str| {
        assert!(place["filename"].is_string(), "{place}");
        *place = json!({"inline_string": text});
    };
    place(&mut tls["validation_context"]["trusted_ca"], &servers.pem());
    match own {
        Some(own) => {
            let files = &mut tls["tls_certificates"][0];
            place(&mut files["certificate_chain"], &own.certificate);
            place(&mut files["private_key"], &own.key);
        }
        None => drop(tls.as_object_mut().unwrap().remove("tls_certificates")),
    }
    reference
}

#[tokio::test]
async fn the_filter_asks_and_follows_over_tls() {
    let world = World::start(NAME).await;
    let own = world.clients.issue(&["envoy"]);
    let gateway = world.gateway(&world.servers, Some(&own)).await;
    let control_plane = &world.control_plane;
    let org = control_plane.create_org("acme", None);
    let project = control_plane.create_project(&org, "shop", Some(true));
    let key = control_plane.create_key(&project, "ci", None);
    assert_eq!(gateway.mcp(&project).send().await.status, 401);
    let keyed = || gateway.mcp(&project).key(&key.raw);
    assert_eq!(keyed().send().await.status, 200);

    // Renewed files: new connections get them, and nobody notices.
    world
        .servers
        .issue(&[NAME])
        .write(world.files.path(), "edge");
    eventually(PATIENCE, "the renewed files", async || {
        control_plane
            .log()
            .contains("renewed TLS files")
            .then_some(())
    })
    .await;
    let fresh = control_plane.create_key(&project, "fresh", None);
    assert_eq!(
        gateway.mcp(&project).key(&fresh.raw).send().await.status,
        200
    );

    control_plane.revoke_key(&key.id);
    eventually(PATIENCE, "the change feed tells of it", async || {
        (keyed().send().await.status == 401).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_nobody_vouches_for_is_a_fault_and_no_401() {
    let world = World::start(NAME).await;
    let misnamed = World::start("other.internal").await;
    let own = world.clients.issue(&["envoy"]);
    let strangers = Authority::new();
    for (why, world, servers, own) in [
        ("it shows no certificate", &world, &world.servers, None),
        (
            "nobody knows its authority",
            &world,
            &world.servers,
            Some(strangers.issue(&["envoy"])),
        ),
        (
            "it does not know the server's",
            &world,
            &strangers,
            Some(own),
        ),
        (
            "the server has another name",
            &misnamed,
            &misnamed.servers,
            Some(misnamed.clients.issue(&["envoy"])),
        ),
    ] {
        let gateway = world.gateway(servers, own.as_ref()).await;
        let org = world.control_plane.create_org("acme", None);
        let project = world.control_plane.create_project(&org, "shop", Some(true));
        let answer = gateway.mcp(&project).send().await;
        assert_eq!(answer.status, 503, "{why}: {}", answer.text());
        assert!(answer.header("retry-after").is_some(), "{why}");
    }
}
