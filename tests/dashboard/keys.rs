//! Keys: made, rotated, switched off and revoked in the page, with effect at the gateway.

use fantoccini::key::Key;
use stack::browser::{Browser, becomes_true};

use crate::world::World;

/// What the page shows of a key that was just made.
async fn secret(browser: &Browser) -> String {
    let shown = browser.find("#new-key-secret").await.text().await;
    assert!(shown.starts_with("ak_"), "{shown}");
    shown
}

async fn choose(browser: &Browser, key: &str, action: &str) {
    let menu = format!("Actions for {key}");
    browser.control(&menu).await.click().await;
    browser.control(action).await.click().await;
}

async fn create(browser: &Browser, name: &str) -> String {
    browser.find("#create-key").await.click().await;
    browser.field("Name").await.fill(name).await;
    browser
        .find("dialog button[type=submit]")
        .await
        .click()
        .await;
    secret(browser).await
}

/// Closes the dialog that shows a key which was not copied.
async fn put_away(browser: &Browser) {
    browser.control("Done").await.click().await;
    browser.shows("The key has not been copied").await;
    browser.control("Done").await.click().await;
    becomes_true("the dialog is closed", async || {
        !browser.has_control("Done").await
    })
    .await;
}

#[tokio::test]
async fn a_key_made_in_the_page_works_and_is_shown_once() {
    let world = World::locked().await;
    world.sign_in().await;
    world.open("keys").await;
    let browser = &world.browser;
    let secret = create(browser, "Ada's laptop").await;
    assert_eq!(world.call(Some(&secret)).await, 200);

    put_away(browser).await;
    browser.shows("Ada's laptop").await;
    browser.reload().await;
    browser.shows("Ada's laptop").await;
    let page = browser
        .run("return document.documentElement.outerHTML")
        .await;
    assert!(!page.as_str().unwrap().contains(&secret));
    world.assert_no_complaints().await;
}

#[tokio::test]
async fn a_new_key_comes_with_configuration_for_each_client() {
    let world = World::locked().await;
    let server = world.control_plane.create_server(&world.project, "Mail");
    world.sign_in().await;
    world.open("keys").await;
    let browser = &world.browser;
    let secret = create(browser, "CI").await;
    let url = format!("http://gateway.test/v3/mcp/{server}");
    for client in [
        "Claude Code",
        "Cursor",
        "VS Code",
        "mcp-remote",
        "Python",
        "TypeScript",
    ] {
        browser.control(client).await.click().await;
        let snippet = async || browser.find("dialog [role=tabpanel]").await.text().await;
        becomes_true(&format!("{client}: the URL"), async || {
            snippet().await.contains(&url)
        })
        .await;
        let snippet = snippet().await;
        for part in [&secret, "x-api-key"] {
            assert!(snippet.contains(part), "{client}: {snippet}");
        }
    }
    world.assert_no_complaints().await;
}

#[tokio::test]
async fn a_rotated_key_works_until_its_grace_ends() {
    let world = World::locked().await;
    let old = world.control_plane.create_key(&world.project, "CI", None);
    assert_eq!(world.call(Some(&old.raw)).await, 200);
    world.sign_in().await;
    world.open("keys").await;
    let browser = &world.browser;
    choose(browser, "CI", "Rotate…").await;
    browser.find("#key-grace").await.choose("86400").await;
    browser.control("Rotate key").await.click().await;
    let new = secret(browser).await;
    assert_eq!(world.call(Some(&new)).await, 200);
    assert_eq!(world.call(Some(&old.raw)).await, 200);
    put_away(browser).await;

    let at_once = world
        .control_plane
        .create_key(&world.project, "Stops", None);
    assert_eq!(world.call(Some(&at_once.raw)).await, 200);
    browser.reload().await;
    choose(browser, "Stops", "Rotate…").await;
    browser.find("#key-grace").await.choose("0").await;
    browser.control("Rotate key").await.click().await;
    let new = secret(browser).await;
    world.becomes(Some(&at_once.raw), 401).await;
    assert_eq!(world.call(Some(&new)).await, 200);
    world.assert_no_complaints().await;
}

#[tokio::test]
async fn a_key_is_switched_off_and_on_and_revoked_in_the_page() {
    let world = World::locked().await;
    let key = world.control_plane.create_key(&world.project, "CI", None);
    assert_eq!(world.call(Some(&key.raw)).await, 200);
    world.sign_in().await;
    world.open("keys").await;
    let browser = &world.browser;

    choose(browser, "CI", "Disable…").await;
    browser.control("Disable key").await.click().await;
    world.becomes(Some(&key.raw), 401).await;
    browser.find("[data-status=disabled]").await;
    choose(browser, "CI", "Enable").await;
    world.becomes(Some(&key.raw), 200).await;

    choose(browser, "CI", "Rename…").await;
    browser.field("Name").await.fill("Build").await;
    browser.control("Rename key").await.click().await;
    browser.shows("Key renamed.").await;
    choose(browser, "Build", "Revoke…").await;
    browser.shows("This cannot be undone.").await;
    browser.control("Cancel").await.click().await;
    assert_eq!(world.call(Some(&key.raw)).await, 200);
    choose(browser, "Build", "Revoke…").await;
    browser.control("Revoke key").await.click().await;
    world.becomes(Some(&key.raw), 401).await;

    browser.field("Show").await.choose("revoked").await;
    browser.find("[data-status=revoked]").await;
    browser.shows("Build").await;
    assert_eq!(world.call(Some(&world.key.raw)).await, 200);
    world.assert_no_complaints().await;
}

#[tokio::test]
async fn a_new_key_stays_on_the_screen_whatever_goes_below_it() {
    let world = World::locked().await;
    world.sign_in().await;
    let browser = &world.browser;
    for page in ["MCP servers", "API keys"] {
        browser.control(page).await.click().await;
    }
    let secret_of_ci = create(browser, "CI").await;
    browser.run("history.back()").await;
    becomes_true("the page below is another", async || {
        browser.location().await.contains("servers")
    })
    .await;
    assert_eq!(secret(browser).await, secret_of_ci);
    put_away(browser).await;

    // Whoever replaces the key that they are signed in with is signed out, and must not lose the new one with that.
    world.open("keys").await;
    choose(browser, "Owner", "Rotate…").await;
    browser.find("#key-grace").await.choose("0").await;
    browser.control("Rotate key").await.click().await;
    let new = secret(browser).await;
    world.becomes(Some(&world.key.raw), 401).await;
    becomes_true("the page below asks to sign in", async || {
        let asks = "return document.querySelector('.sign-in') !== null";
        browser.run(asks).await == true
    })
    .await;
    assert_eq!(secret(browser).await, new);
    put_away(browser).await;
    world.try_sign_in(&new).await;
    browser.control("Sign out").await;
    world.assert_no_complaints().await;
}

#[tokio::test]
async fn what_was_sent_is_waited_for() {
    let world = World::locked().await;
    world.sign_in().await;
    world.open("keys").await;
    let browser = &world.browser;
    // Until it is released, every change is on its way.
    browser
        .run(
            "const real = window.fetch;
             const released = new Promise((release) => { window.release = release; });
             window.fetch = async (path, options) => {
                 if (options.method !== 'GET') await released;
                 return real(path, options);
             };",
        )
        .await;
    browser.find("#create-key").await.click().await;
    browser.field("Name").await.fill("CI").await;
    browser
        .find("dialog button[type=submit]")
        .await
        .click()
        .await;
    browser.find("dialog button[aria-busy=true]").await;
    browser.control("Cancel").await.click().await;
    browser.press(Key::Escape).await;
    browser.find("dialog button[aria-busy=true]").await;
    browser.run("window.release()").await;
    let made = secret(browser).await;
    assert_eq!(world.call(Some(&made)).await, 200);
}
