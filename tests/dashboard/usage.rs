//! Who used which key, and who changed what.

use stack::browser::becomes_true;

use crate::world::World;

#[tokio::test]
async fn usage_tells_which_key_made_how_many_requests() {
    let world = World::locked().await;
    let ci = world.control_plane.create_key(&world.project, "CI", None);
    for _ in 0..7 {
        assert_eq!(world.call(Some(&ci.raw)).await, 200);
    }
    for _ in 0..4 {
        assert_eq!(world.call(None).await, 401);
    }
    becomes_true("all is counted", async || {
        let answer = world.api("GET", "usage").send().await;
        answer.json()["requests"] == 11
    })
    .await;
    world.sign_in().await;
    world.open("usage").await;
    let browser = &world.browser;
    let row = browser
        .find_by_xpath("//tr[.//*[contains(., 'CI')]][contains(., '7')]")
        .await;
    assert!(row.text().await.contains('7'));
    browser.find_by_xpath("//tr[contains(., '4')]").await;
    world.assert_no_complaints().await;
}

#[tokio::test]
async fn the_audit_log_names_the_session_and_the_change() {
    let world = World::start().await;
    world.sign_in().await;
    world.open("settings?tab=configuration").await;
    let browser = &world.browser;
    browser.find("#require-mcp-api-key").await.click().await;
    browser.control("Require API key").await.click().await;
    world.becomes(None, 401).await;
    world.open("audit").await;
    browser.shows("Require API Key for MCP").await;
    browser.shows("Owner").await;
    let log = world.api("GET", "audit_log").send().await.json();
    assert_eq!(log["items"][0]["actor"]["kind"], "dashboard_session");
    assert_eq!(log["items"][0]["actor"]["id"], world.key.id.as_str());
    world.assert_no_complaints().await;
}
