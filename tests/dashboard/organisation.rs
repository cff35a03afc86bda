//! A session with an organisation's key: all its projects.

use stack::browser::becomes_true;

use crate::world::World;

#[tokio::test]
async fn an_organisation_makes_renames_and_deletes_projects_in_the_page() {
    let world = World::start().await;
    world
        .control_plane
        .create_project(&world.org, "Second", None);
    world.sign_in_to_organisation().await;
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

#[tokio::test]
async fn what_was_done_stays_done_when_the_projects_cannot_be_read_again() {
    let world = World::start().await;
    world.sign_in_to_organisation().await;
    let browser = &world.browser;
    world.open("projects").await;
    browser.shows("Shop").await;
    let no_more_reading = "
        const fetch = window.fetch;
        const isReading = (path, {method}) => method === 'GET' && path.startsWith('/api/v3/org/projects');
        window.fetch = (path, options) =>
            isReading(path, options) ? Promise.resolve(new Response('', {status: 503})) : fetch(path, options);
    ";
    browser.run(no_more_reading).await;
    browser.control("Create project").await.click().await;
    browser.field("Name").await.fill("Third").await;
    browser
        .find("dialog button[type=submit]")
        .await
        .click()
        .await;
    // It goes on to the new project's keys, under its name.
    browser.shows("No keys yet").await;
    let title = browser.run("return document.title").await;
    assert!(title.as_str().unwrap().contains("Third"), "{title}");
    let projects = world.control_plane.admin(&["list", "projects"]);
    assert_eq!(projects.to_string().matches("Third").count(), 1);
}
