//! Signing in and out, and what becomes of a page whose session ends.

use crate::world::World;

#[tokio::test]
async fn a_key_that_is_not_good_is_refused_in_words() {
    let world = World::start().await;
    let revoked = world.control_plane.create_key(&world.project, "Old", None);
    world.control_plane.revoke_key(&revoked.id);
    world.open("").await;
    for (key, told) in [
        (revoked.raw.as_str(), "not valid"),
        ("hello", "not valid"),
        (
            "uak_0123456789abcdefghijklmnopqrstuvwxyz",
            "project key (ak_…)",
        ),
    ] {
        world.try_sign_in(key).await;
        world.browser.shows(told).await;
        assert!(world.browser.has_control("Sign in").await);
    }
    // It is asked for again, and a good one then does.
    world.try_sign_in(&world.key.raw).await;
    world.browser.shows("Project Settings").await;
    world.assert_no_complaints().await;
}

#[tokio::test]
async fn too_many_attempts_are_told_to_wait() {
    let world = World::start().await;
    world.open("").await;
    let attempts = "
        const done = arguments[arguments.length - 1];
        const attempt = () => fetch('/dashboard/session', {
            method: 'POST', body: '{\"api_key\": \"ak_no\"}',
            headers: {'content-type': 'application/json', 'x-dashboard': '1'},
        });
        Promise.all(Array.from({length: 20}, attempt)).then((all) => done(all.map((one) => one.status)));
    ";
    let statuses = world.browser.run_async(attempts).await.to_string();
    assert!(
        statuses.contains("401") && statuses.contains("429"),
        "{statuses}"
    );
    world.try_sign_in(&world.key.raw).await;
    world.browser.shows("Too many attempts").await;
}

#[tokio::test]
async fn a_browser_that_does_not_keep_the_cookie_is_told_so() {
    let world = World::start().await;
    world.open("").await;
    world.browser.field("API key").await;
    // As over plain HTTP from elsewhere, where browsers drop cookies that are for https alone.
    let without_cookies = "
        const fetch = window.fetch;
        window.fetch = (path, options) => fetch(path, {...options, credentials: 'omit'});
    ";
    world.browser.run(without_cookies).await;
    world.try_sign_in(&world.key.raw).await;
    world.browser.shows("did not keep the session cookie").await;
    world.browser.shows("https").await;
    assert!(!world.browser.text().await.contains("has ended"));
}

#[tokio::test]
async fn who_signs_out_is_out() {
    let world = World::start().await;
    world.sign_in().await;
    world.browser.control("Sign out").await.click().await;
    world.browser.shows("You have signed out").await;
    world.open("keys").await;
    world.browser.field("API key").await;
    assert!(!world.browser.text().await.contains("Owner"));
}

#[tokio::test]
async fn a_session_ends_with_its_key_and_goes_on_where_it_was() {
    let world = World::start().await;
    let key = world
        .control_plane
        .create_key(&world.project, "Session", None);
    world.sign_in_with(&key.raw).await;
    world.open("keys").await;
    world.browser.shows("Signed in with").await;
    world.control_plane.revoke_key(&key.id);
    world.browser.control("Audit log").await.click().await;
    world.browser.shows("Your session has ended").await;
    world.try_sign_in(&world.key.raw).await;
    world.browser.control("Sign out").await;
    assert_eq!(world.browser.location().await, "/dashboard/audit");
}

#[tokio::test]
async fn a_session_outlives_a_restart_of_the_control_plane() {
    let mut world = World::start().await;
    world.sign_in().await;
    world.control_plane.restart().await;
    world.open("keys").await;
    world.browser.shows("Owner").await;
}

#[tokio::test]
async fn a_control_plane_that_is_away_is_told_in_words() {
    let mut world = World::start().await;
    world.sign_in().await;
    world.control_plane.kill();
    world.browser.control("API keys").await.click().await;
    world.browser.shows("could not be reached").await;
    world.control_plane.restart().await;
    world.browser.control("Try again").await.click().await;
    world.browser.shows("Owner").await;
}
