//! The images, built and run by a real Docker. Where none answers there is nothing to see.

use std::fs;
use std::time::Duration;

use stack::deadline::eventually;
use stack::http::Call;
use stack::images::{self, Container};
use stack::scripted_control_plane::EDGE_TOKEN;
use stack::wasm;

/// The user that the program runs as.
const USER: &str = "65532";

/// A first health check comes after 10 s.
const PATIENCE: Duration = Duration::from_secs(60);

const CONFIG: &str = "/api/v3/org/project/config";

#[tokio::test(flavor = "multi_thread")]
async fn the_control_plane_runs_unprivileged_keeps_its_data_and_drains() {
    if !images::docker_is_there() {
        eprintln!("skipped: no Docker");
        return;
    }
    let image = images::of_control_plane();
    let container = Container::start(&image);
    eventually(PATIENCE, "it is ready", async || {
        let ready = Call::new(container.public, "GET", "/readyz")
            .try_send()
            .await;
        ready.is_ok_and(|answer| answer.status == 200).then_some(())
    })
    .await;

    let pid = container.inspect("{{.State.Pid}}");
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let uids = status
        .lines()
        .find(|line| line.starts_with("Uid:"))
        .unwrap();
    let uids: Vec<_> = uids.split_whitespace().skip(1).collect();
    assert_eq!(uids, [USER; 4], "a user without privileges");
    let version = r#"{{index .Config.Labels "org.opencontainers.image.version"}}"#;
    assert_eq!(container.inspect(version), "of-the-tests");

    let org = container.json(&["org", "create", "--name", "acme"]);
    let org = org["id"].as_str().unwrap();
    let project = container.json(&["project", "create", "--org", org, "--name", "shop"]);
    let project = project["id"].as_str().unwrap();
    let key = container.json(&["key", "create", "--project", project, "--name", "ci"]);
    let key = key["key"].as_str().unwrap();
    let settings = async || {
        Call::new(container.public, "GET", CONFIG)
            .key(key)
            .send()
            .await
    };
    assert_eq!(settings().await.status, 200);

    eventually(PATIENCE, "Docker finds it healthy", async || {
        (container.inspect("{{.State.Health.Status}}") == "healthy").then_some(())
    })
    .await;

    let token = format!("Bearer {EDGE_TOKEN}");
    let poll = Call::new(
        container.edge,
        "GET",
        "/edge/v1/changes?after=2&wait_ms=60000",
    );
    let poll = tokio::spawn(poll.header("authorization", token).send());
    eventually(PATIENCE, "the poll waits", async || {
        let metrics = Call::new(container.metrics, "GET", "/metrics").send().await;
        let waits = "mcp_key_auth_control_plane_polls_waiting 1";
        metrics.text().contains(waits).then_some(())
    })
    .await;
    let stopping = &container;
    tokio::task::block_in_place(|| stopping.stop(30));
    assert_eq!(
        poll.await.unwrap().status,
        200,
        "what was under way is answered"
    );
    assert_eq!(container.inspect("{{.State.ExitCode}}"), "0");
    assert!(
        container.log().contains("\"message\":\"stopped\""),
        "{}",
        container.log()
    );

    container.start_again();
    eventually(PATIENCE, "its data is still there", async || {
        let answer = Call::new(container.public, "GET", CONFIG)
            .key(key)
            .try_send()
            .await;
        answer
            .is_ok_and(|answer| answer.status == 200)
            .then_some(())
    })
    .await;
}

#[test]
fn the_filters_image_holds_the_module() {
    if !images::docker_is_there() {
        eprintln!("skipped: no Docker");
        return;
    }
    let module = images::file(&images::of_filter(), "/plugin.wasm");
    assert!(module == fs::read(wasm::filter_module()).unwrap());
}
