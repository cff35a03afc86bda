//! The switch: what it would do, what it does, and where that is in force.

use serde_json::json;
use stack::browser::becomes_true;

use crate::world::World;

const TAB: &str = "settings?tab=configuration";
const SWITCH: &str = "[role=switch]#require-mcp-api-key";
const BADGE: &str = "#require-mcp-api-key-badge";

#[tokio::test]
async fn an_owner_sees_who_would_be_refused_and_turns_the_gate_on_and_off() {
    let world = World::start().await;
    let other = world
        .control_plane
        .create_project(&world.org, "Other", None);
    let foreign = world.control_plane.create_key(&other, "Theirs", None);
    let retired = world
        .control_plane
        .create_key(&world.project, "Old laptop", None);
    world.control_plane.revoke_key(&retired.id);
    for _ in 0..3 {
        assert_eq!(world.call(None).await, 200);
    }
    // The first request with a key is looked up behind its back; the next one is judged.
    assert_eq!(world.call(Some(&foreign.raw)).await, 200);
    let preview = async || {
        let answer = world.api("GET", "mcp_enforcement").send().await;
        answer.json()["preview"].clone()
    };
    becomes_true("a key of another project is judged", async || {
        assert_eq!(world.call(Some(&foreign.raw)).await, 200);
        assert_eq!(world.call(Some(&retired.raw)).await, 200);
        let preview = preview().await;
        let reasons = preview["by_reason"].to_string();
        let names = preview["refused_keys"].to_string();
        reasons.contains("other_project") && names.contains("Old laptop")
    })
    .await;

    world.sign_in().await;
    assert_eq!(world.browser.location().await, "/dashboard/settings");
    world
        .browser
        .control("Project Configuration")
        .await
        .click()
        .await;
    let browser = &world.browser;
    for text in [
        "Require entity and connected account IDs for all actions.",
        "Hide sensitive information in connected account details.",
        "Require API key authentication for MCP connections.",
        "Control how logs are stored in your project",
    ] {
        browser.shows(text).await;
    }
    browser
        .shows("Turning this on now would have refused")
        .await;
    browser.shows("3 without a key").await;
    browser.shows("with a key of another project").await;
    assert_eq!(browser.find(BADGE).await.text().await, "DISABLED");

    // Nothing is changed before the question is answered.
    browser.find(SWITCH).await.click().await;
    browser.shows("Require an API key for MCP?").await;
    browser
        .shows("in the last 24 hours would have been refused")
        .await;
    browser.shows("Old laptop").await;
    browser.control("Cancel").await.click().await;
    assert_eq!(browser.find(BADGE).await.text().await, "DISABLED");
    assert_eq!(world.call(None).await, 200);

    browser.find(SWITCH).await.click().await;
    browser
        .shows("in the last 24 hours would have been refused")
        .await;
    browser.control("Require API key").await.click().await;
    becomes_true("the badge", async || {
        browser.find(BADGE).await.text().await == "ENABLED"
    })
    .await;
    world.becomes(None, 401).await;
    assert_eq!(world.call(Some(&foreign.raw)).await, 401);
    assert_eq!(world.call(Some(&world.key.raw)).await, 200);
    browser.find("#in-force[data-state=in-force]").await;
    browser.shows("in force on 1 of 1 gateway").await;

    browser.find(SWITCH).await.click().await;
    browser.control("Stop requiring a key").await.click().await;
    world.becomes(None, 200).await;
    assert_eq!(browser.find(BADGE).await.text().await, "DISABLED");
    world.assert_no_complaints().await;
}

#[tokio::test]
async fn the_other_settings_are_kept_too() {
    let world = World::start().await;
    world.sign_in().await;
    world.open(TAB).await;
    let browser = &world.browser;
    browser
        .find("#mask-secret-keys-in-connected-account")
        .await
        .click()
        .await;
    browser
        .find("#log-storage")
        .await
        .choose("dont_store_data")
        .await;
    becomes_true("the settings are changed", async || {
        let config = world.api("GET", "config").send().await.json();
        config["mask_secret_keys_in_connected_account"] == false
            && config["log_visibility_setting"] == "dont_store_data"
    })
    .await;
    browser.reload().await;
    let badge = browser
        .find("#mask-secret-keys-in-connected-account-badge")
        .await;
    assert_eq!(badge.text().await, "DISABLED");
    let select = browser.find("#log-storage").await;
    assert_eq!(
        select.property("value").await.as_deref(),
        Some("dont_store_data")
    );
    world.assert_no_complaints().await;
}

#[tokio::test]
async fn two_editors_do_not_overwrite_each_other() {
    let world = World::start().await;
    world.sign_in().await;
    world.open(TAB).await;
    let browser = &world.browser;
    browser.find(SWITCH).await;
    let other = json!({"is_2FA_enabled": false});
    let patched = world.api("PATCH", "config").json(&other).send().await;
    assert_eq!(patched.status, 200);

    browser
        .find("#log-storage")
        .await
        .choose("dont_store_data")
        .await;
    browser.shows("changed").await;
    let config = world.api("GET", "config").send().await.json();
    assert_eq!(config["log_visibility_setting"], "show_all");
    // The page shows what the other one did, and goes on from there.
    becomes_true("the other's change is shown", async || {
        browser.find("#is-2FA-enabled-badge").await.text().await == "DISABLED"
    })
    .await;
    browser
        .find("#log-storage")
        .await
        .choose("dont_store_data")
        .await;
    becomes_true("the change is made", async || {
        let config = world.api("GET", "config").send().await.json();
        config["log_visibility_setting"] == "dont_store_data" && config["is_2FA_enabled"] == false
    })
    .await;
}
