//! The scripted control plane's change feed, without a filter: what the feed tests build on.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use edge_api::changes::{Change, ChangesResponse};
use edge_api::check::Verdict;
use edge_api::id::Id;
use stack::deadline::{PATIENCE, eventually};
use stack::http::Call;
use stack::keys::mint_key;
use stack::scripted_control_plane::{EDGE_TOKEN, Fault, ScriptedControlPlane};
use tokio::task::JoinHandle;

use super::control_planes::check;

fn poll(addr: SocketAddr, after: u64, wait_ms: u64) -> Call {
    let target = format!("{}?after={after}&wait_ms={wait_ms}", edge_api::CHANGES_PATH);
    Call::new(addr, "GET", target).header("authorization", format!("Bearer {EDGE_TOKEN}"))
}

/// The answer to a poll, but for the incarnation.
async fn answer(addr: SocketAddr, after: u64, wait_ms: u64) -> ChangesResponse {
    let answer = poll(addr, after, wait_ms).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    ChangesResponse {
        incarnation: None,
        ..serde_json::from_slice(&answer.body).unwrap()
    }
}

/// A poll that is open when this returns.
async fn waiting(control_plane: &ScriptedControlPlane, after: u64) -> JoinHandle<ChangesResponse> {
    let before = control_plane.open_feed_polls();
    let poll = tokio::spawn(answer(control_plane.addr(), after, 30_000));
    wait_for_open(control_plane, before + 1).await;
    poll
}

async fn wait_for_open(control_plane: &ScriptedControlPlane, count: usize) {
    eventually(PATIENCE, &format!("{count} open polls"), async || {
        (control_plane.open_feed_polls() == count).then_some(())
    })
    .await;
}

fn told(revision: u64, changes: &[(&str, u64)]) -> ChangesResponse {
    ChangesResponse {
        incarnation: None,
        revision,
        changes: changes
            .iter()
            .map(|(project, revision)| Change {
                project_id: Id::parse(project).unwrap(),
                revision: *revision,
            })
            .collect(),
        reset: false,
    }
}

fn reset(revision: u64) -> ChangesResponse {
    ChangesResponse {
        reset: true,
        ..told(revision, &[])
    }
}

#[tokio::test]
async fn news_is_told_at_once_or_as_soon_as_it_comes() {
    let control_plane = ScriptedControlPlane::start().await;
    let addr = control_plane.addr();
    control_plane.set_project("a", true);
    control_plane.set_project("b", true);
    control_plane.set_key(&mint_key(1), "key_1", "a", Verdict::Valid, None);
    assert_eq!(
        answer(addr, 1, 30_000).await,
        told(4, &[("b", 3), ("a", 4)])
    );
    assert_eq!(answer(addr, 3, 30_000).await, told(4, &[("a", 4)]));

    let told_by = async |change: &dyn Fn()| {
        let waiting = waiting(&control_plane, control_plane.revision()).await;
        change();
        waiting.await.unwrap()
    };
    assert_eq!(
        told_by(&|| control_plane.set_server("s", "b")).await,
        told(5, &[("b", 5)])
    );
    assert_eq!(
        told_by(&|| control_plane.set_server("s", "a")).await,
        told(6, &[("a", 6), ("b", 6)]),
        "who loses a server changes, too"
    );
    assert_eq!(
        told_by(&|| control_plane.remove_project("b")).await,
        told(7, &[("b", 7)])
    );
}

#[tokio::test]
async fn a_poll_without_news_ends_when_its_time_is_up() {
    let control_plane = ScriptedControlPlane::start().await;
    let asked = Instant::now();
    assert_eq!(answer(control_plane.addr(), 1, 60).await, told(1, &[]));
    assert!(asked.elapsed() >= Duration::from_millis(60));
    assert_eq!(answer(control_plane.addr(), 1, 0).await, told(1, &[]));
}

#[tokio::test]
async fn who_is_ahead_or_too_far_behind_is_told_to_reset() {
    let control_plane = ScriptedControlPlane::start().await;
    let addr = control_plane.addr();
    for project in ["a", "b", "c"] {
        control_plane.set_project(project, true);
    }
    assert_eq!(answer(addr, 5, 30_000).await, reset(4));
    assert_eq!(answer(addr, 0, 0).await.changes.len(), 3);
    control_plane.prune_changes(1);
    assert_eq!(answer(addr, 2, 30_000).await, reset(4));
    assert_eq!(answer(addr, 3, 0).await, told(4, &[("c", 4)]));
}

#[tokio::test]
async fn a_restored_database_knows_nothing_of_what_came_after() {
    let control_plane = ScriptedControlPlane::start().await;
    let addr = control_plane.addr();
    let verdict = async || {
        let answer = check(addr, "a", &mint_key(1)).send().await.json();
        let verdict = answer["key"]["verdict"].as_str().map(str::to_owned);
        (answer["revision"].as_u64().unwrap(), verdict)
    };
    control_plane.set_project("a", true);
    control_plane.set_key(&mint_key(1), "key_1", "a", Verdict::Valid, None);
    let good = control_plane.revision();
    control_plane.set_key(&mint_key(1), "key_1", "a", Verdict::Revoked, None);
    control_plane.set_project("b", true);
    let waiting = waiting(&control_plane, control_plane.revision()).await;
    control_plane.restore(good);
    assert_eq!(waiting.await.unwrap(), reset(good));
    assert_eq!(verdict().await, (good, Some("valid".to_owned())));
    assert_eq!(answer(addr, good, 0).await, told(good, &[]));
    control_plane.set_project("c", true);
    assert_eq!(
        answer(addr, good, 0).await,
        told(good + 1, &[("c", good + 1)])
    );
    control_plane.restore(1);
    assert_eq!(verdict().await, (1, None));
}

#[tokio::test]
async fn each_restored_database_is_another_one_and_an_older_control_plane_does_not_tell() {
    let control_plane = ScriptedControlPlane::start().await;
    let told = async || {
        let answer = poll(control_plane.addr(), 1, 0).send().await;
        let answer: ChangesResponse = serde_json::from_slice(&answer.body).unwrap();
        answer.incarnation
    };
    let first = told().await;
    assert_eq!(first, Some(control_plane.incarnation()));
    control_plane.set_project("a", true);
    assert_eq!(told().await, first);
    control_plane.restore(1);
    let second = told().await;
    assert!(second.is_some() && second != first, "{second:?}");
    control_plane.restore(1);
    assert!(![first, second].contains(&told().await));
    control_plane.tell_incarnation(false);
    assert_eq!(told().await, None);
}

#[tokio::test]
async fn a_fault_of_the_feed_is_none_of_the_checks_and_the_other_way_round() {
    let control_plane = ScriptedControlPlane::start().await;
    let addr = control_plane.addr();
    let ask = || check(addr, "a", &mint_key(1)).try_send();
    control_plane.set_fault(Fault::Hang);
    let held = control_plane.hold();
    assert_eq!(answer(addr, 1, 0).await, told(1, &[]));
    drop(held);
    control_plane.set_fault(Fault::None);

    // A fault ends polls that are open as well.
    let open = tokio::spawn(poll(addr, 1, 30_000).try_send());
    wait_for_open(&control_plane, 1).await;
    control_plane.set_feed_fault(Fault::Reset);
    assert!(open.await.unwrap().is_err());
    control_plane.set_feed_fault(Fault::Status(503));
    assert_eq!(poll(addr, 1, 30_000).send().await.status, 503);
    for unusable in [Fault::Garbage, Fault::WrongSchema, Fault::Truncated] {
        control_plane.set_feed_fault(unusable);
        let body = poll(addr, 1, 30_000).send().await.body;
        assert!(serde_json::from_slice::<ChangesResponse>(&body).is_err());
    }
    control_plane.set_feed_fault(Fault::Hang);
    let hangs = poll(addr, 0, 0).try_send();
    let moment = Duration::from_millis(50);
    assert!(tokio::time::timeout(moment, hangs).await.is_err());
    assert_eq!(ask().await.unwrap().status, 200);

    control_plane.set_feed_fault(Fault::Delay(moment));
    let asked = Instant::now();
    assert_eq!(answer(addr, 1, 0).await, told(1, &[]));
    assert!(asked.elapsed() >= moment);
}

#[tokio::test]
async fn a_held_feed_tells_nothing_until_it_is_let_go() {
    let control_plane = ScriptedControlPlane::start().await;
    let held = control_plane.hold_feed();
    let waiting = waiting(&control_plane, 1).await;
    control_plane.set_project("a", true);
    assert_eq!(
        check(control_plane.addr(), "a", &mint_key(1))
            .send()
            .await
            .status,
        200,
        "checks are not held"
    );
    assert!(!waiting.is_finished());
    held.release();
    assert_eq!(waiting.await.unwrap(), told(2, &[("a", 2)]));
}

#[tokio::test]
async fn the_feed_lies_as_it_is_told() {
    let control_plane = ScriptedControlPlane::start().await;
    let addr = control_plane.addr();
    let open = waiting(&control_plane, 1).await;
    control_plane.answer_a_poll_with(told(9, &[("x", 9)]));
    assert_eq!(open.await.unwrap(), told(9, &[("x", 9)]));

    control_plane.twist_feed(|query, mut answer| {
        answer.revision = query.after + 100;
        answer
    });
    assert_eq!(answer(addr, 1, 0).await, told(101, &[]));
    control_plane.untwist_feed();
    assert_eq!(answer(addr, 1, 0).await, told(1, &[]));
}

#[tokio::test]
async fn polls_are_recorded_apart_and_counted_while_they_are_open() {
    let control_plane = ScriptedControlPlane::start().await;
    let addr = control_plane.addr();
    let first = waiting(&control_plane, 1).await;
    let second = waiting(&control_plane, 1).await;
    let polls = control_plane.feed_polls();
    let seen: Vec<_> = polls
        .iter()
        .map(|poll| (poll.after, poll.wait_ms, poll.authorized, poll.open))
        .collect();
    assert_eq!(seen, [(1, 30_000, true, 1), (1, 30_000, true, 2)]);
    assert!(polls[0].at <= polls[1].at);
    assert!(control_plane.calls().is_empty());

    second.abort();
    wait_for_open(&control_plane, 1).await;
    control_plane.stop().await;
    assert!(first.await.is_err(), "stopping cuts polls too");
    wait_for_open(&control_plane, 0).await;
    control_plane.restart().await;

    let stranger = Call::new(addr, "GET", format!("{}?after=0", edge_api::CHANGES_PATH));
    assert_eq!(stranger.send().await.status, 401);
    assert!(!control_plane.feed_polls()[2].authorized);
    let target = format!("{}?after=soon", edge_api::CHANGES_PATH);
    let nonsense =
        Call::new(addr, "GET", target).header("authorization", format!("Bearer {EDGE_TOKEN}"));
    assert_eq!(nonsense.send().await.status, 404);
    assert_eq!(control_plane.calls().len(), 1, "no poll, so a call");
}
