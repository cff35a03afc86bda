//! A session with an organisation's key: all its projects.

use stack::browser::becomes_true;

use crate::world::World;

#[tokio::test]
async fn an_organisation_makes_renames_and_deletes_projects_in_the_page() {
    let world = World::start().await;
    world
        .control_plane
        .create_project(&world.org, "Second", None);
    let created = [
        "org", "key", "create", "--org", &world.org, "--name", "Admin",
    ];
    let key = world.control_plane.admin(&created);
    world.sign_in_with(key["key"].as_str().unwrap()).await;
    let browser = &world.browser;
    assert_eq!(browser.location().await, "/dashboard/projects");
    browser.shows("Shop").await;
    browser.shows("Second").await;

    browser.control("Shop").await.click().await;
    browser.shows("Project Settings").await;
    let location = browser.location().await;
    assert!(
        location.contains(&format!("project={}", world.project)),
        "{location}"
    );
    browser.field("Name").await.fill("Store").await;
    browser.control("Rename").await.click().await;
    world.open("projects").await;
    browser.shows("Store").await;

    browser.control("Create project").await.click().await;
    browser.field("Name").await.fill("Third").await;
    browser
        .find("dialog button[type=submit]")
        .await
        .click()
        .await;
    becomes_true("the project is there", async || {
        let projects = world.control_plane.admin(&["list", "projects"]);
        projects.to_string().contains("Third")
    })
    .await;
    world.assert_no_complaints().await;
}
