//! Keys: made, rotated, switched off and revoked in the page, with effect at the gateway.

use serde_json::json;
use stack::browser::{Browser, becomes_true};

use crate::world::World;

/// What the page shows of a key that was just made.
async fn secret(browser: &Browser) -> String {
    let shown = browser.find("#new-key-secret").await.text().await;
    assert!(shown.starts_with("ak_"), "{shown}");
    shown
}

/// Closes what shows a new key, which was not copied.
async fn close_uncopied(browser: &Browser) {
    browser.control("Done").await.click().await;
    browser.shows("The key has not been copied.").await;
    browser.control("Done").await.click().await;
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

#[tokio::test]
async fn a_key_made_in_the_page_works_and_is_shown_once() {
    let world = World::locked().await;
    world.sign_in().await;
    world.open("keys").await;
    let browser = &world.browser;
    let secret = create(browser, "Ada's laptop").await;
    assert_eq!(world.call(Some(&secret)).await, 200);

    close_uncopied(browser).await;
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
    close_uncopied(browser).await;

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
async fn a_new_key_stays_on_the_screen_though_it_ends_the_session() {
    let world = World::locked().await;
    world.sign_in().await;
    let browser = &world.browser;
    // Within the page, so that there is a way back that loads nothing anew.
    for page in ["MCP servers", "API keys"] {
        browser.control(page).await.click().await;
    }
    choose(browser, "Owner", "Rotate…").await;
    browser.find("#key-grace").await.choose("0").await;
    browser.control("Rotate key").await.click().await;
    let new = secret(browser).await;
    // The page finds out that its session is over, and that somebody wants to leave it.
    let finds_out = "
        document.dispatchEvent(new Event('visibilitychange'));
        history.back();
    ";
    browser.run(finds_out).await;
    browser.shows("Close this dialog before you leave").await;
    assert_eq!(secret(browser).await, new);
    close_uncopied(browser).await;
    browser.shows("Your session has ended").await;
    world.try_sign_in(&new).await;
    browser.control("Sign out").await;
}

#[tokio::test]
async fn a_dialog_stays_until_the_answer_is_there() {
    let world = World::locked().await;
    world.sign_in().await;
    world.open("keys").await;
    let browser = &world.browser;
    // Answers that change something wait until the test lets them come.
    let slow = "
        const send = window.fetch;
        const gate = new Promise((open) => { window.letGo = open; });
        window.fetch = async (path, options) => {
            const answer = await send(path, options);
            if (options.method !== 'GET') await gate;
            return answer;
        };
    ";
    browser.run(slow).await;
    browser.find("#create-key").await.click().await;
    browser.field("Name").await.fill("CI").await;
    browser
        .find("dialog button[type=submit]")
        .await
        .click()
        .await;
    let leave = "
        const cancel = [...document.querySelectorAll('dialog button')].find((one) => one.textContent === 'Cancel');
        cancel.click();
        document.querySelector('dialog').requestClose?.();
        return [cancel.disabled, document.querySelectorAll('dialog[open]').length];
    ";
    assert_eq!(browser.run(leave).await, serde_json::json!([true, 1]));
    browser.run("window.letGo()").await;
    secret(browser).await;
}

#[tokio::test]
async fn what_a_dialog_did_is_told_after_it_has_closed() {
    let world = World::locked().await;
    world.sign_in().await;
    world.open("keys").await;
    let browser = &world.browser;
    choose(browser, "Owner", "Rename…").await;
    browser.field("Name").await.fill("Build").await;
    browser.control("Rename key").await.click().await;
    becomes_true("the message is seen", async || {
        let seen = "
            const told = document.querySelector('body > #toasts .toast');
            return !document.querySelector('dialog') && (told?.textContent ?? null);
        ";
        browser.run(seen).await == "Key renamed."
    })
    .await;
}

#[tokio::test]
async fn a_key_far_down_the_list_is_renamed_in_its_place() {
    let world = World::start().await;
    for number in 0..60 {
        let name = format!("Key {number}");
        let call = world.api("POST", "api_keys").json(&json!({"name": name}));
        assert_eq!(call.send().await.status, 201);
    }
    world.sign_in().await;
    world.open("keys").await;
    let browser = &world.browser;
    browser.control("Show more keys").await.click().await;
    // The list is newest first, so the key of the session is its last.
    browser.shows("Signed in with").await;
    let last_row = "document.querySelector('#keys tbody tr:last-child')";
    becomes_true("the first new row has the focus", async || {
        let first_new = "document.querySelectorAll('#keys tbody tr')[50]";
        let script = format!("return {first_new} === document.activeElement");
        browser.run(&script).await == json!(true)
    })
    .await;

    choose(browser, "Owner", "Rename…").await;
    browser.field("Name").await.fill("Proprietor").await;
    browser.control("Rename key").await.click().await;
    becomes_true("the row has its new name and the focus", async || {
        let script = format!(
            "return {last_row}.textContent.includes('Proprietor')
                && document.activeElement.getAttribute('aria-label')"
        );
        browser.run(&script).await == json!("Actions for Proprietor")
    })
    .await;
    let rows = "return document.querySelectorAll('#keys tbody tr').length";
    assert_eq!(browser.run(rows).await, json!(61));
    let scrolled = "return document.documentElement.scrollTop > 0";
    assert_eq!(browser.run(scrolled).await, json!(true));

    choose(browser, "Key 0", "Revoke…").await;
    browser.control("Revoke key").await.click().await;
    becomes_true(
        "the row is gone and the next one has the focus",
        async || {
            let script = "return document.querySelectorAll('#keys tbody tr').length === 60
            && document.activeElement.getAttribute('aria-label')";
            browser.run(script).await == json!("Actions for Proprietor")
        },
    )
    .await;
    world.assert_no_complaints().await;
}
