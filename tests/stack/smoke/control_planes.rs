//! The control planes of the rig, asked directly: the scripted one decides and fails as it says, the real one is
//! commanded as an operator would.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use edge_api::check::{CheckRequest, CheckResponse, Subject, Verdict};
use edge_api::id::Id;
use stack::http::Call;
use stack::keys::{self, mint_key};
use stack::real_control_plane::RealControlPlane;
use stack::scripted_control_plane::{EDGE_TOKEN, Fault, ScriptedControlPlane};

pub(super) fn check(addr: SocketAddr, project: &str, raw_key: &str) -> Call {
    let request = CheckRequest {
        subject: Subject::ProjectId(Id::parse(project).unwrap()),
        key_sha256: Some(keys::sha256(raw_key)),
    };
    Call::new(addr, "POST", edge_api::CHECK_PATH)
        .header("authorization", format!("Bearer {EDGE_TOKEN}"))
        .json(&serde_json::to_value(request).unwrap())
}

#[tokio::test]
async fn the_scripted_control_plane_decides_like_a_real_one() {
    let control_plane = ScriptedControlPlane::start().await;
    control_plane.set_project("pr_1", true);
    control_plane.set_project("pr_2", true);
    control_plane.set_key(&mint_key(1), "key_1", "pr_1", Verdict::Revoked, None);
    for (seed, expires_at) in [(3, 1_000), (4, u64::MAX)] {
        let key_id = format!("key_{seed}");
        let expires_at = Some(expires_at);
        control_plane.set_key(&mint_key(seed), &key_id, "pr_1", Verdict::Valid, expires_at);
    }
    let addr = control_plane.addr();
    for (project, key, verdict) in [
        ("pr_1", mint_key(1), Some("revoked")),
        ("pr_1", mint_key(2), Some("unknown")),
        ("pr_2", mint_key(1), Some("other_project")),
        ("pr_3", mint_key(1), None),
        ("pr_1", mint_key(3), Some("expired")),
        ("pr_1", mint_key(4), Some("valid")),
    ] {
        let answer = check(addr, project, &key).send().await.json();
        assert_eq!(answer["key"]["verdict"].as_str(), verdict, "{project}");
    }
    control_plane.stop_expiring();
    let late = check(addr, "pr_1", &mint_key(3)).send().await.json();
    assert_eq!(late["key"]["verdict"], "valid");
    let stranger = Call::new(addr, "POST", edge_api::CHECK_PATH).body("{}");
    assert_eq!(stranger.send().await.status, 401);
    let calls = control_plane.calls();
    let authorized: Vec<_> = calls.iter().map(|call| call.authorized).collect();
    assert_eq!(
        authorized,
        [true, true, true, true, true, true, true, false]
    );
}

#[tokio::test]
async fn every_scripted_fault_is_what_it_says() {
    let control_plane = ScriptedControlPlane::start().await;
    control_plane.set_project("pr_1", true);
    let ask = || check(control_plane.addr(), "pr_1", &mint_key(1)).try_send();
    for broken in [Fault::Reset, Fault::CutBody] {
        control_plane.set_fault(broken);
        assert!(ask().await.is_err(), "{broken:?}");
    }
    for unusable in [
        Fault::Garbage,
        Fault::WrongSchema,
        Fault::Empty,
        Fault::Truncated,
    ] {
        control_plane.set_fault(unusable);
        let answer = ask().await.unwrap();
        assert_eq!(answer.status, 200, "{unusable:?}");
        let parsed = serde_json::from_slice::<CheckResponse>(&answer.body);
        assert!(parsed.is_err(), "{unusable:?}");
    }
    control_plane.set_fault(Fault::Status(500));
    assert_eq!(ask().await.unwrap().status, 500);
    control_plane.set_fault(Fault::Oversized(1_000_000));
    assert!(ask().await.unwrap().body.len() >= 1_000_000);

    let moment = Duration::from_millis(50);
    control_plane.set_fault(Fault::Hang);
    assert!(tokio::time::timeout(moment, ask()).await.is_err());
    control_plane.set_fault(Fault::Delay(moment));
    let asked = Instant::now();
    assert_eq!(ask().await.unwrap().status, 200);
    assert!(asked.elapsed() >= moment);
}

#[tokio::test]
async fn checks_are_held_until_released() {
    let control_plane = ScriptedControlPlane::start().await;
    let held = control_plane.hold();
    let asking = tokio::spawn(check(control_plane.addr(), "pr_1", &mint_key(1)).send());
    control_plane.wait_for_calls(1).await;
    assert!(!asking.is_finished());
    control_plane.set_project("pr_1", true);
    held.release();
    assert_eq!(asking.await.unwrap().json()["project"]["id"], "pr_1");
}

#[tokio::test]
async fn a_stopped_control_plane_refuses_connections_until_it_is_restarted() {
    let control_plane = ScriptedControlPlane::start().await;
    let ask = || check(control_plane.addr(), "pr_1", &mint_key(1)).try_send();
    control_plane.stop().await;
    assert_eq!(
        ask().await.unwrap_err().kind(),
        ErrorKind::ConnectionRefused
    );
    control_plane.restart().await;
    assert_eq!(ask().await.unwrap().status, 200);
}

#[tokio::test]
async fn the_real_control_plane_is_commanded_killed_frozen_and_restarted() {
    let mut control_plane = RealControlPlane::start().await;
    let org = control_plane.create_org("Acme", None);
    let project = control_plane.create_project(&org, "Demo", Some(true));
    control_plane.create_server(&project, "Tools");
    let key = control_plane.create_key(&project, "laptop", None);
    let edge = control_plane.edge_addr();
    let ask = || check(edge, &project, &key.raw).try_send();
    let answer = ask().await.unwrap().json();
    assert_eq!(answer["project"]["require_mcp_api_key"], true);
    assert_eq!(answer["key"]["verdict"], "valid");
    assert_eq!(answer["key"]["id"], key.id.as_str());

    control_plane.pause();
    let moment = Duration::from_millis(50);
    assert!(tokio::time::timeout(moment, ask()).await.is_err());
    control_plane.resume();
    assert_eq!(ask().await.unwrap().status, 200);

    control_plane.kill();
    assert_eq!(
        ask().await.unwrap_err().kind(),
        ErrorKind::ConnectionRefused
    );
    control_plane.revoke_key(&key.id);
    control_plane.restart().await;
    assert_eq!(control_plane.edge_addr(), edge);
    assert_eq!(ask().await.unwrap().json()["key"]["verdict"], "revoked");
}
