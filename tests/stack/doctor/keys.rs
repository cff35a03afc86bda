//! What is wrong with a key, by who asks: its holder, who is told little, or the operator, who sees all.

use std::fs;

use stack::real_control_plane::Doctor;

use super::{World, assert_finds};

#[tokio::test]
async fn a_good_key_is_accepted() {
    let world = World::start().await;
    let doctor = world.doctor().key(&world.key.raw);
    for examined in [
        doctor.examine().await,
        world.as_owner(doctor.clone()).await,
        world.as_operator(doctor.clone()).await,
    ] {
        assert_finds(&examined, 0, "key_accepted");
        assert_eq!(examined.step("key").0, "ok");
        assert_eq!(examined.step("key filter").0, "ok");
        let (state, says) = examined.step("without a key");
        assert_eq!((state, says), ("note", "401 MCP_API_KEY_MISSING"));
        assert_eq!(examined.step("with the key").0, "ok");
    }
    for examined in [
        world.as_owner(doctor.clone()).await,
        world.as_operator(doctor.clone()).await,
    ] {
        assert_eq!(examined.step("key's state"), ("ok", "live"));
        assert_eq!(
            examined.step("project"),
            ("ok", "the URL names project pr_shop")
        );
        assert_eq!(examined.step("policy"), ("note", "a key is required"));
    }
    let by_hand = world
        .doctor()
        .run(&["--key", "-"], Some(&format!("{}\n", world.key.raw)))
        .await;
    assert_eq!(by_hand.0, 0, "the key comes on standard input: {by_hand:?}");
    let by_hand = world.doctor().run(&["--key", "-"], Some("")).await;
    assert_eq!(by_hand.0, 2, "{by_hand:?}");
    assert!(
        by_hand.2.starts_with("error: --key -: no key came"),
        "{}",
        by_hand.2
    );
}

#[tokio::test]
async fn a_server_of_the_keys_project_is_the_right_place() {
    let world = World::start().await;
    let server = world.control_plane.create_server("pr_shop", "mail");
    let doctor = Doctor::of(&world.url(&format!("/v3/mcp/{server}/mcp"))).key(&world.key.raw);
    for examined in [
        world.as_owner(doctor.clone()).await,
        world.as_operator(doctor).await,
    ] {
        assert_finds(&examined, 0, "key_accepted");
        let says = format!("the URL names MCP server {server}");
        assert_eq!(examined.step("project"), ("ok", &*says));
    }
}

#[tokio::test]
async fn a_missing_key_is_asked_for() {
    let world = World::start().await;
    let doctor = world.doctor();
    for examined in [
        doctor.examine().await,
        world.as_operator(doctor.clone()).await,
    ] {
        assert_finds(&examined, 1, "no_key");
        assert!(
            examined.text.contains("MCP_KEY_AUTH_DOCTOR_KEY"),
            "{}",
            examined.text
        );
    }
    // The public API tells nobody without a key.
    let examined = world.as_owner(doctor).await;
    assert_finds(&examined, 1, "no_key");
    assert_eq!(examined.step("control plane").0, "unknown");
}

#[tokio::test]
async fn a_key_that_is_none_is_told_what_is_wrong_with_it() {
    let world = World::start().await;
    let good = &world.key.raw;
    let swapped = if good.ends_with('0') { '1' } else { '0' };
    let mistyped = format!("{}{swapped}", &good[..good.len() - 1]);
    for (key, cause, says) in [
        (mistyped, "malformed_key", "its checksum is wrong"),
        (good[..30].to_owned(), "malformed_key", "30 characters long"),
        (format!("\"{good}\""), "malformed_key", "quotation mark"),
        (format!("{good}\n"), "malformed_key", "white space"),
        (
            "sk_123456789".to_owned(),
            "malformed_key",
            "does not begin with ak_",
        ),
        (
            format!("o{good}"),
            "other_kind",
            "an organisation key (oak_…)",
        ),
        (format!("u{good}"), "other_kind", "a user key (uak_…)"),
        (
            good.replacen("ak_", "ck_", 1),
            "other_kind",
            "a consumer key (ck_…)",
        ),
    ] {
        let doctor = world.doctor().key(&key);
        for examined in [
            doctor.examine().await,
            world.as_operator(doctor.clone()).await,
        ] {
            assert_finds(&examined, 1, cause);
            assert!(examined.text.contains(says), "{says}: {}", examined.text);
            assert_eq!(examined.step("key").0, "problem");
        }
    }
}

#[tokio::test]
async fn a_key_that_is_not_live_is_explained_to_the_operator() {
    let world = World::start().await;
    let control_plane = &world.control_plane;
    let revoked = control_plane.create_key("pr_shop", "revoked", None);
    control_plane.revoke_key(&revoked.id);
    let expired = control_plane.create_key("pr_shop", "old", Some("2026-01-01T00:00:00Z"));
    let disabled = control_plane.create_key("pr_shop", "off", None);
    control_plane.admin(&["key", "disable", "--id", &disabled.id]);
    let unknown = stack::keys::mint_key(1);
    for (key, cause, says) in [
        (&revoked.raw, "revoked_key", "revoked at 20"),
        (
            &expired.raw,
            "expired_key",
            "expired at 2026-01-01T00:00:00Z",
        ),
        (&disabled.raw, "disabled_key", "switched off"),
        (&unknown, "unknown_key", "nobody has"),
    ] {
        let doctor = world.doctor().key(key);
        let examined = world.as_operator(doctor.clone()).await;
        assert_finds(&examined, 1, cause);
        assert!(
            examined.step("key's state").1.contains(says),
            "{}",
            examined.text
        );
        // Its holder learns as little as from the gateway: only that it is not good.
        assert_finds(&world.as_owner(doctor.clone()).await, 1, "key_not_live");
        assert_finds(&doctor.examine().await, 1, "invalid_key");
    }
}

#[tokio::test]
async fn a_key_of_another_project_is_in_the_wrong_place() {
    let world = World::start().await;
    let foreign = world.open_project();
    let doctor = world.doctor().key(&foreign.raw);
    let examined = world.as_operator(doctor.clone()).await;
    assert_finds(&examined, 1, "key_of_other_project");
    for project in ["pr_shop", "pr_open"] {
        assert!(
            examined.step("project").1.contains(project),
            "{}",
            examined.text
        );
    }
    let examined = world.as_owner(doctor).await;
    assert_finds(&examined, 1, "url_not_of_key");
    assert!(!examined.text.contains("pr_open"), "{}", examined.text);
}

#[tokio::test]
async fn nothing_is_changed_by_looking() {
    let mut world = World::start().await;
    let doctor = world.doctor().key(&world.key.raw);
    let database = world.control_plane.database();
    world.control_plane.kill();
    // The killed server left a log to fold in: whoever opens the database to write does that.
    world.control_plane.admin(&["list", "keys"]);
    let file = database.strip_prefix("sqlite://").unwrap();
    let before = fs::read(file).unwrap();
    let examined = doctor.clone().database(&database).examine().await;
    assert_eq!(examined.step("key's state"), ("ok", "live"));
    assert_eq!(fs::read(file).unwrap(), before);

    let missing = doctor
        .clone()
        .database("sqlite:///no/such/folder.db")
        .examine()
        .await;
    let (state, says) = missing.step("control plane");
    assert_eq!(state, "unknown");
    assert!(says.contains("there is no database"), "{says}");
}
