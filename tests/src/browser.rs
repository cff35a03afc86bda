//! A real Chromium without a window, driven as its user would: it finds things by the words that are read out, clicks,
//! types, and looks at what the page shows. It ends when dropped.

use std::path::PathBuf;
use std::time::Duration;

use fantoccini::error::CmdError;
use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};

use crate::deadline::eventually;

mod accessibility;
mod console;
mod driver;
mod element;

pub use element::Element;

use console::ConsoleLog;
use driver::Driver;

/// How long a page may take to show what a test waits for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A browser with one window and a profile of its own.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    _driver: Driver,
}

/// How a browser's user likes to see pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Dark text on light ground.
    Light,
    /// Light text on dark ground.
    Dark,
}

impl Browser {
    /// Starts one, 1280 pixels wide and light. Installs Chromium first where it is missing and that is possible.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start() -> Self {
        let driver = Driver::start().await;
        let arguments = [
            "--headless=new",
            // The sandbox refuses root, which tests run as in a container.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            // Nothing but the pages under test is asked for anything.
            "--disable-background-networking",
            "--disable-component-update",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
            "--window-size=1280,900",
        ];
        let capabilities = json!({
            "goog:chromeOptions": {"binary": driver.chromium(), "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        });
        let Value::Object(capabilities) = capabilities else {
            unreachable!("an object")
        };
        let client = ClientBuilder::new(hyper_connector())
            .capabilities(capabilities)
            .connect(&driver.url())
            .await
            .unwrap_or_else(|error| panic!("Chromium does not start: {error}\n{}", driver.log()));
        Self {
            client,
            _driver: driver,
        }
    }

    /// Goes to a page.
    ///
    /// # Panics
    /// When it cannot be loaded.
    pub async fn open(&self, url: &str) {
        done(self.client.goto(url).await, &format!("opening {url}"));
    }

    /// Loads the page again.
    ///
    /// # Panics
    /// When it cannot be loaded.
    pub async fn reload(&self) {
        done(self.client.refresh().await, "reloading");
    }

    /// The page's path and query.
    ///
    /// # Panics
    /// When the browser does not answer.
    pub async fn location(&self) -> String {
        let url = done(self.client.current_url().await, "asking for the address");
        match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        }
    }

    /// Waits for a shown element that `css` selects.
    ///
    /// # Panics
    /// When there is none in time.
    pub async fn find(&self, css: &str) -> Element {
        self.wait_for(Locator::Css(css), css).await
    }

    /// Waits for a shown element that an XPath selects.
    ///
    /// # Panics
    /// When there is none in time.
    pub async fn find_by_xpath(&self, xpath: &str) -> Element {
        self.wait_for(Locator::XPath(xpath), xpath).await
    }

    /// Waits for the shown button, or tab, or link, that is called so.
    ///
    /// # Panics
    /// When there is none in time.
    pub async fn control(&self, name: &str) -> Element {
        self.find_by_xpath(&control_called(name)).await
    }

    /// Waits for the shown input that has this label.
    ///
    /// # Panics
    /// When there is none in time.
    pub async fn field(&self, label: &str) -> Element {
        let label = format!(
            "//label[starts-with(normalize-space(.), {})]",
            quoted(label)
        );
        self.find_by_xpath(&format!(
            "//*[@id = {label}/@for] | {label}//*[self::input or self::select or self::textarea]"
        ))
        .await
    }

    /// Whether the page shows such a control now.
    ///
    /// # Panics
    /// When the browser does not answer.
    pub async fn has_control(&self, name: &str) -> bool {
        self.shown(Locator::XPath(&control_called(name)))
            .await
            .is_some()
    }

    /// Waits until the page shows this text.
    ///
    /// # Panics
    /// When it does not in time.
    pub async fn shows(&self, text: &str) {
        let mut last = String::new();
        let seen = tokio::time::timeout(PATIENCE, async {
            loop {
                last = self.text().await;
                if last.contains(text) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
        });
        if seen.await.is_err() {
            panic!("the page does not show {text:?}, but:\n{last}");
        }
    }

    /// All that the page shows.
    ///
    /// # Panics
    /// When the browser does not answer.
    pub async fn text(&self) -> String {
        let text = self.run("return document.body.innerText").await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Runs a script in the page, as the browser's tools do: the page's own policy does not bind it.
    ///
    /// # Panics
    /// When it fails.
    pub async fn run(&self, script: &str) -> Value {
        done(
            self.client.execute(script, Vec::new()).await,
            "running a script",
        )
    }

    /// As [`run`](Self::run), for a script that calls its last argument with what it returns.
    ///
    /// # Panics
    /// When it fails.
    pub async fn run_async(&self, script: &str) -> Value {
        done(
            self.client.execute_async(script, Vec::new()).await,
            "running a script",
        )
    }

    /// Presses a key where the focus is.
    ///
    /// # Panics
    /// When the browser does not answer.
    pub async fn press(&self, key: Key) {
        let focused = done(self.client.active_element().await, "asking for the focus");
        let key = char::from(key).to_string();
        done(focused.send_keys(&key).await, "pressing a key");
    }

    /// Shows pages in a window of this width, in this theme.
    ///
    /// # Panics
    /// When the browser does not answer.
    pub async fn look(&self, width: u32, theme: Theme) {
        let theme = match theme {
            Theme::Light => "light",
            Theme::Dark => "dark",
        };
        self.devtools(
            "Emulation.setEmulatedMedia",
            json!({"features": [{"name": "prefers-color-scheme", "value": theme}]}),
        )
        .await;
        self.size(width.into(), 900).await;
    }

    async fn size(&self, width: u64, height: u64) {
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}),
        )
        .await;
    }

    /// The whole page as a PNG, in a window that is as high as the page, until the next look.
    ///
    /// # Panics
    /// When the browser does not answer.
    pub async fn screenshot(&self) -> Vec<u8> {
        let size =
            "return [innerWidth, Math.max(innerHeight, document.scrollingElement.scrollHeight)]";
        let size = self.run(size).await;
        if let (Some(width), Some(height)) = (size[0].as_u64(), size[1].as_u64()) {
            self.size(width, height.min(8_000)).await;
        }
        done(self.client.screenshot().await, "taking a screenshot")
    }

    /// What the pages so far complained about on the console: errors of scripts, and what their policy forbade.
    ///
    /// # Panics
    /// When the browser does not answer.
    pub async fn complaints(&self) -> Vec<String> {
        let entries = done(
            self.client.issue_cmd(ConsoleLog).await,
            "reading the console",
        );
        console::complaints(&entries)
    }

    /// What is wrong with the page for people who do not see it or use no mouse, by the rules of WCAG 2.2 AA that a machine can
    /// check: one sentence for each.
    ///
    /// # Panics
    /// When it cannot be checked.
    pub async fn barriers(&self) -> Vec<String> {
        let checker = accessibility::checker();
        drop(done(
            self.client.execute(checker, Vec::new()).await,
            "loading the checker",
        ));
        accessibility::barriers(&self.run_async(accessibility::CHECK).await)
    }

    async fn devtools(&self, command: &str, parameters: Value) {
        let command = console::DevTools {
            command: command.to_owned(),
            parameters,
        };
        done(self.client.issue_cmd(command).await, "setting up the view");
    }

    async fn wait_for(&self, locator: Locator<'_>, what: &str) -> Element {
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                if let Some(element) = self.shown(locator).await {
                    return element;
                }
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
        });
        match found.await {
            Ok(element) => element,
            Err(_) => panic!(
                "the page at {} does not show {what}, but:\n{}",
                self.location().await,
                self.text().await
            ),
        }
    }

    async fn shown(&self, locator: Locator<'_>) -> Option<Element> {
        for element in self.client.find_all(locator).await.ok()? {
            // One that went away meanwhile is not shown.
            if element.is_displayed().await.unwrap_or_default() {
                return Some(Element::new(element));
            }
        }
        None
    }
}

/// Waits until a page that changes by itself does so.
///
/// # Panics
/// When it does not in time.
pub async fn becomes_true(what: &str, mut probe: impl AsyncFnMut() -> bool) {
    eventually(PATIENCE, what, async || probe().await.then_some(())).await;
}

/// Where screenshots are kept for people to look at.
#[must_use]
pub fn screenshot_folder() -> PathBuf {
    crate::repo::root().join("target/screenshots")
}

fn hyper_connector() -> hyper_util::client::legacy::connect::HttpConnector {
    hyper_util::client::legacy::connect::HttpConnector::new()
}

fn control_called(name: &str) -> String {
    let name = quoted(name);
    format!(
        "//*[self::button or self::a or self::summary or @role='tab' or @role='switch']\
         [normalize-space(.) = {name} or @aria-label = {name}]"
    )
}

/// A text within an XPath.
fn quoted(text: &str) -> String {
    assert!(!text.contains('"'), "{text:?}");
    format!("\"{text}\"")
}

fn done<T>(result: Result<T, CmdError>, what: &str) -> T {
    result.unwrap_or_else(|error| panic!("{what}: {error}"))
}
