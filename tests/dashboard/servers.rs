//! MCP servers: registered and removed in the page, with effect at the gateway.

use stack::browser::becomes_true;

use crate::world::World;

#[tokio::test]
async fn a_server_registered_in_the_page_is_served_until_it_is_removed() {
    let world = World::locked().await;
    world.sign_in().await;
    world.open("servers").await;
    let browser = &world.browser;
    let call = async || {
        let call = world.gateway.call("POST", "/v3/mcp/catalogue/mcp");
        call.key(&world.key.raw).send().await.status
    };
    assert_eq!(call().await, 404);

    browser.find("#register-server").await.click().await;
    browser.field("Name").await.fill("Product catalogue").await;
    browser.field("Id in the URL").await.fill("catalogue").await;
    browser
        .find("dialog button[type=submit]")
        .await
        .click()
        .await;
    browser.shows("http://gateway.test/v3/mcp/catalogue").await;
    becomes_true("the server is served", async || call().await == 200).await;

    browser
        .control("Actions for Product catalogue")
        .await
        .click()
        .await;
    browser.control("Remove…").await.click().await;
    browser.control("Remove server").await.click().await;
    becomes_true("the server is gone", async || call().await == 404).await;
    browser.shows("No MCP servers yet").await;
    world.assert_no_complaints().await;
}

#[tokio::test]
async fn an_id_that_is_taken_or_wrong_is_refused_in_words_and_nothing_typed_is_lost() {
    let world = World::locked().await;
    let other = world
        .control_plane
        .create_project(&world.org, "Other", None);
    let taken = world.control_plane.create_server(&other, "Theirs");
    world.sign_in().await;
    world.open("servers").await;
    let browser = &world.browser;
    browser.find("#register-server").await.click().await;
    browser.field("Name").await.fill("Mine").await;
    for (id, told) in [(taken.as_str(), "taken"), ("no/slash", "64")] {
        browser.field("Id in the URL").await.fill(id).await;
        browser
            .find("dialog button[type=submit]")
            .await
            .click()
            .await;
        browser.shows(told).await;
        let name = browser.field("Name").await.property("value").await;
        assert_eq!(name.as_deref(), Some("Mine"));
    }
}
