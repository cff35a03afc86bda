//! `control-plane doctor`, as somebody runs it who looks for the reason of a refusal.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::binary;

/// A run that is being put together.
#[derive(Debug, Clone)]
#[must_use = "it is run by examine"]
pub struct Doctor {
    arguments: Vec<String>,
    key: Option<String>,
    database: Option<String>,
}

/// What it said.
#[derive(Debug)]
pub struct Examined {
    /// The exit code.
    pub code: i32,
    /// The text for people.
    pub text: String,
    /// The same for programs.
    pub json: Value,
}

impl Doctor {
    /// Looks at the MCP server at this URL.
    pub fn of(gateway: &str) -> Self {
        Self {
            arguments: ["doctor", "--gateway", gateway].map(str::to_owned).into(),
            key: None,
            database: None,
        }
    }

    /// With this key, in the environment.
    pub fn key(mut self, raw: &str) -> Self {
        self.key = Some(raw.to_owned());
        self
    }

    /// Asks the public API there.
    pub fn control_plane(self, url: &str) -> Self {
        self.option("--control-plane", url)
    }

    /// Looks into this database.
    pub fn database(mut self, url: &str) -> Self {
        self.database = Some(url.to_owned());
        self
    }

    /// With a further option.
    pub fn option(mut self, flag: &str, value: &str) -> Self {
        self.arguments.extend([flag.to_owned(), value.to_owned()]);
        self
    }

    /// Runs it twice, once for people and once for programs. It must not repeat the key.
    ///
    /// # Panics
    /// When it does, or the two do not say the same, or its JSON is none.
    pub async fn examine(&self) -> Examined {
        let (code, text, _) = self.run(&[], None).await;
        let (other_code, json, _) = self.run(&["--json"], None).await;
        assert_eq!(code, other_code, "{text}\n{json}");
        let json: Value = serde_json::from_str(&json).unwrap_or_else(|e| panic!("{e}: {json}"));
        let says = json["says"].as_str().expect("it says something");
        assert!(text.contains(says), "{says}\n{text}");
        Examined { code, text, json }
    }

    /// Runs it with more arguments and perhaps something on standard input: exit code, standard output and error.
    ///
    /// # Panics
    /// When it does not run, or repeats the key.
    pub async fn run(&self, more: &[&str], stdin: Option<&str>) -> (i32, String, String) {
        let mut doctor = self.clone();
        doctor
            .arguments
            .extend(more.iter().map(ToString::to_string));
        let stdin = stdin.map(str::to_owned);
        // Whoever it asks may live in this process.
        let run = tokio::task::spawn_blocking(move || doctor.run_to_end(stdin.as_deref()));
        run.await.expect("the doctor runs")
    }

    fn run_to_end(&self, stdin: Option<&str>) -> (i32, String, String) {
        let mut command = Command::new(binary());
        command
            .env_clear()
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(key) = &self.key {
            command.env("MCP_KEY_AUTH_DOCTOR_KEY", key);
        }
        if let Some(database) = &self.database {
            command.env("MCP_KEY_AUTH_DATABASE", database);
        }
        let mut child = command.spawn().expect("the doctor runs");
        let mut pipe = child.stdin.take().expect("a pipe");
        // One that does not read has ended by itself.
        drop(pipe.write_all(stdin.unwrap_or_default().as_bytes()));
        drop(pipe);
        let output = child.wait_with_output().expect("the doctor ends");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        let secret = self.key.as_deref().or(stdin).map(str::trim);
        if let Some(secret) = secret.filter(|secret| secret.len() > 8) {
            assert!(!stdout.contains(secret), "it repeats the key: {stdout}");
            assert!(!stderr.contains(secret), "it repeats the key: {stderr}");
        }
        let code = output.status.code().expect("an exit code");
        (code, stdout, stderr)
    }
}

impl Examined {
    /// The word for why.
    #[must_use]
    pub fn cause(&self) -> &str {
        self.json["cause"].as_str().unwrap_or_default()
    }

    /// State and sentence of a step.
    ///
    /// # Panics
    /// When there is no such step.
    #[must_use]
    pub fn step(&self, name: &str) -> (&str, &str) {
        let steps = self.json["steps"].as_array().expect("steps");
        let step = steps.iter().find(|step| step["step"] == name);
        let step = step.unwrap_or_else(|| panic!("no step {name}: {}", self.text));
        let text = |field: &str| step[field].as_str().unwrap_or_default();
        (text("state"), text("says"))
    }
}
