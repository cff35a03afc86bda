//! What holds on every page: everybody can use it, on any screen, in either theme. It leaves a screenshot of each in
//! `target/screenshots`, for people to look at.

use std::fs;

use fantoccini::key::Key;
use stack::browser::{Theme, screenshot_folder};

use crate::world::{PAGES, World};

const WIDTHS: [u32; 2] = [1280, 360];

/// How many parts of a page have a scroll bar that nobody meant.
const SCROLLS_BY_A_HAIR: &str = "
    const hair = (part) => {
        const { overflowY } = getComputedStyle(part);
        const beyond = part.scrollHeight - part.clientHeight;
        return (overflowY === 'auto' || overflowY === 'scroll') && beyond > 0 && beyond < 8;
    };
    return [...document.querySelectorAll('main *')].filter(hair).length;
";

async fn with_something_on_each_page() -> World {
    let world = World::start().await;
    world.control_plane.create_server(&world.project, "Mail");
    for name in [
        "CI",
        "A key with a name that is much longer than anybody would wish it to be, but which is allowed",
    ] {
        let key = world.control_plane.create_key(&world.project, name, None);
        assert_eq!(world.call(Some(&key.raw)).await, 200);
    }
    assert_eq!(world.call(None).await, 200);
    stack::browser::becomes_true("all is counted", async || {
        world.api("GET", "usage").send().await.json()["requests"] == 3
    })
    .await;
    world
}

/// Looks at what `show` brings up, on every screen and in either theme.
async fn look_at(world: &World, name: &str, show: impl AsyncFn()) -> Vec<String> {
    let mut faults = Vec::new();
    for theme in [Theme::Light, Theme::Dark] {
        for width in WIDTHS {
            world.browser.look(width, theme).await;
            show().await;
            // Nothing is on its way any more.
            stack::browser::becomes_true("the page is complete", async || {
                let busy = "return document.querySelector('[aria-busy=true], .loading') === null";
                world.browser.run(busy).await == true
            })
            .await;
            let view = format!("{name}-{width}-{theme:?}").to_lowercase();
            let wide = "const page = document.scrollingElement; return page.scrollWidth - page.clientWidth";
            let beyond = world.browser.run(wide).await;
            if beyond.as_i64().unwrap() > 0 {
                faults.push(format!("{view}: {beyond} pixels wider than the window"));
            }
            let crooked = world.browser.run(SCROLLS_BY_A_HAIR).await;
            if crooked != 0 {
                faults.push(format!("{view}: {crooked} parts scroll by a hair"));
            }
            let barriers = world.browser.barriers().await;
            faults.extend(barriers.iter().map(|barrier| format!("{view}: {barrier}")));
            fs::create_dir_all(screenshot_folder()).unwrap();
            let file = screenshot_folder().join(format!("{view}.png"));
            fs::write(file, world.browser.screenshot().await).unwrap();
        }
    }
    faults
}

async fn look_at_page(world: &World, page: &str, name: &str) -> Vec<String> {
    let show = async || {
        world.open(page).await;
        world.browser.find("h1").await;
    };
    look_at(world, name, show).await
}

#[tokio::test]
async fn every_page_fits_every_screen_and_bars_nobody() {
    let world = with_something_on_each_page().await;
    let mut faults = look_at_page(&world, "", "sign-in").await;
    world.browser.look(1280, Theme::Light).await;
    world.sign_in().await;
    for page in PAGES {
        let name = page.replace("?tab=", "-");
        faults.extend(look_at_page(&world, page, &name).await);
    }
    faults.extend(look_at_page(&world, "no-such-page", "not-found").await);
    assert!(faults.is_empty(), "{faults:#?}");
    world.assert_no_complaints().await;
}

#[tokio::test]
async fn every_dialog_fits_every_screen_and_bars_nobody() {
    let world = with_something_on_each_page().await;
    world.sign_in().await;
    let browser = &world.browser;
    let lock = async || {
        world.open("settings?tab=configuration").await;
        browser.find("#require-mcp-api-key").await.click().await;
        browser.find("#lock-consequences .notice").await;
    };
    let action = async |name: &str| {
        world.open("keys").await;
        browser.control("Actions for CI").await.click().await;
        browser.control(name).await.click().await;
        browser.find("dialog h2").await;
    };
    let create = async || {
        world.open("keys").await;
        browser.find("#create-key").await.click().await;
        browser.field("Name").await.fill("New").await;
    };
    let made = async || {
        create().await;
        let send = browser.find("dialog button[type=submit]").await;
        send.click().await;
        browser.find("#new-key-secret").await;
        // A key that is not copied would keep the page.
        browser.control("Done").await.click().await;
        browser.shows("The key has not been copied.").await;
    };
    let mut faults = look_at(&world, "dialog-lock", lock).await;
    faults.extend(look_at(&world, "dialog-rotate", async || action("Rotate…").await).await);
    faults.extend(look_at(&world, "dialog-revoke", async || action("Revoke…").await).await);
    faults.extend(look_at(&world, "dialog-create", create).await);
    faults.extend(look_at(&world, "dialog-new-key", made).await);
    assert!(faults.is_empty(), "{faults:#?}");
}

#[tokio::test]
async fn the_pages_of_an_organisation_fit_every_screen_and_bar_nobody() {
    let world = with_something_on_each_page().await;
    world.sign_in_to_organisation().await;
    let mut faults = look_at_page(&world, "projects", "organisation-projects").await;
    faults.extend(look_at_page(&world, "audit", "organisation-audit").await);
    assert!(faults.is_empty(), "{faults:#?}");
    world.assert_no_complaints().await;
}

#[tokio::test]
async fn the_switch_is_flipped_without_a_mouse() {
    let world = World::start().await;
    let browser = &world.browser;
    world.open("settings?tab=configuration").await;
    browser.field("API key").await.fill(&world.key.raw).await;
    browser.press(Key::Enter).await;
    browser.find("#require-mcp-api-key").await;
    let focused = "return document.activeElement.id || document.activeElement.textContent.trim()";
    for _ in 0..40 {
        browser.press(Key::Tab).await;
        if browser.run(focused).await == "require-mcp-api-key" {
            break;
        }
    }
    assert_eq!(browser.run(focused).await, "require-mcp-api-key");
    browser.press(Key::Space).await;
    browser.shows("Require an API key for MCP?").await;
    browser.press(Key::Escape).await;
    assert_eq!(browser.run(focused).await, "require-mcp-api-key");
    browser.press(Key::Space).await;
    browser.shows("Require an API key for MCP?").await;
    for _ in 0..20 {
        browser.press(Key::Tab).await;
        if browser.run(focused).await == "Require API key" {
            break;
        }
    }
    browser.press(Key::Enter).await;
    world.becomes(None, 401).await;
    world.assert_no_complaints().await;
}
