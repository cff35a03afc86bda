//! The diagnosis step by step, for people or programs.

use serde::Serialize;

use super::{
    diagnosis::{Verdict, diagnose},
    gateway::{Observed, Reply, Speaker},
    key::{PresentedKey, Shape},
    known::{Facts, KeyState, Known, Place},
};
use crate::client::{target::Target, trouble::Trouble};

/// What was found.
#[derive(Debug, Serialize)]
pub struct Report {
    verdict: &'static str,
    cause: &'static str,
    says: String,
    remedy: String,
    gateway: String,
    steps: Vec<Step>,
    #[serde(skip)]
    exit_code: u8,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Step {
    step: &'static str,
    state: State,
    says: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

/// What it means for the request.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    Problem,
    Unknown,
    Note,
}

impl Report {
    pub(super) fn new(
        target: &Target,
        key: Option<&PresentedKey>,
        known: &Known,
        observed: &Result<Observed, Trouble>,
    ) -> Self {
        let facts = known.facts();
        let cause = diagnose(key, facts, observed);
        let verdict = cause.verdict();
        let mut steps = vec![step_of_key(key), step_of_source(known)];
        steps.extend(facts.map(steps_of_facts).into_iter().flatten());
        match observed {
            Ok(observed) => steps.extend(steps_of_gateway(observed)),
            Err(trouble) => {
                let says = format!("not reached: {trouble}");
                steps.push(Step::new("gateway", State::Problem, says));
            }
        }
        let mut report = Self {
            verdict: verdict.name(),
            cause: cause.slug(),
            says: cause.says(),
            remedy: cause.remedy(),
            gateway: target.to_string(),
            steps,
            exit_code: verdict.exit_code(),
        };
        report.make_printable(key);
        report
    }

    /// 0: the request passes, 1: it is refused or fails, 2: that cannot be told.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        self.exit_code
    }

    /// A line for each step, the verdict, and what to do.
    #[must_use]
    pub fn to_text(&self) -> String {
        let width = self.steps.iter().map(|step| step.step.len()).max();
        let width = width.unwrap_or_default();
        let mut text = format!("{}\n\n", self.gateway);
        for step in &self.steps {
            let (name, state, says) = (step.step, step.state.name(), &step.says);
            text.push_str(&format!("{name:width$}  {state:7}  {says}"));
            if let Some(id) = &step.request_id {
                text.push_str(&format!(" (request {id})"));
            }
            text.push('\n');
        }
        text.push_str(&format!("\n{}\nWhat to do: {}\n", self.says, self.remedy));
        text
    }

    /// The same as one JSON object.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Serialising plain data with text keys cannot fail.
        let mut text = serde_json::to_string(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Part of it is what others answered: that must not steer a terminal, nor repeat the key.
    fn make_printable(&mut self, key: Option<&PresentedKey>) {
        let raw = key.map(PresentedKey::reveal).filter(|raw| raw.len() > 3);
        let clean = |text: &mut String| {
            if let Some(raw) = raw {
                *text = text.replace(raw, "(the key)");
            }
            text.retain(|c| !c.is_control());
        };
        for text in [&mut self.says, &mut self.remedy, &mut self.gateway] {
            clean(text);
        }
        for step in &mut self.steps {
            clean(&mut step.says);
            if let Some(id) = &mut step.request_id {
                clean(id);
            }
        }
    }
}

impl Step {
    fn new(step: &'static str, state: State, says: impl Into<String>) -> Self {
        Self {
            step,
            state,
            says: says.into(),
            request_id: None,
        }
    }
}

fn step_of_key(key: Option<&PresentedKey>) -> Step {
    let (state, says) = match key.map(PresentedKey::shape) {
        None => (State::Note, "none given".to_owned()),
        Some(Shape::ProjectKey(key)) => (
            State::Ok,
            format!("{} has the shape of a project key", key.masked()),
        ),
        Some(Shape::OtherKind(kind)) => (
            State::Problem,
            format!("it begins with {}, which is no project key", kind.prefix()),
        ),
        Some(Shape::Malformed(malformation)) => (State::Problem, malformation.to_string()),
    };
    Step::new("key", state, says)
}

fn step_of_source(known: &Known) -> Step {
    let (state, says) = match known {
        Known::Nothing(unknown) => (State::Unknown, unknown.to_string()),
        Known::Something { source, .. } => (State::Ok, format!("{source} answers")),
    };
    Step::new("control plane", state, says)
}

fn steps_of_facts(facts: &Facts) -> Vec<Step> {
    let (state, says) = match &facts.key {
        KeyState::None => (State::Note, "none to look up".to_owned()),
        KeyState::Live => (State::Ok, "live".to_owned()),
        KeyState::NotLive => (
            State::Problem,
            "unknown, revoked, expired or switched off: a key that is not live is not told why"
                .to_owned(),
        ),
        KeyState::Unknown => (State::Problem, "nobody has it".to_owned()),
        KeyState::Revoked(at) => (State::Problem, format!("revoked at {at}")),
        KeyState::Expired(at) => (State::Problem, format!("expired at {at}")),
        KeyState::Disabled(at) => (State::Problem, format!("switched off at {at}")),
    };
    let mut steps = vec![Step::new("key's state", state, says)];
    let (state, says) = match &facts.place {
        Place::Project(id) => (State::Ok, format!("the URL names project {id}")),
        Place::Server(id) => (State::Ok, format!("the URL names MCP server {id}")),
        Place::Elsewhere {
            named,
            of_project,
            of_key,
        } => (
            State::Problem,
            format!("the URL names {named} of project {of_project}, the key is of {of_key}"),
        ),
        Place::NotOfKey => (
            State::Problem,
            "the URL names neither the key's project nor an MCP server of it".to_owned(),
        ),
        Place::Nobody => (
            State::Problem,
            "the URL names no project and no MCP server that exists".to_owned(),
        ),
        Place::NotKnown => (State::Unknown, "not told".to_owned()),
    };
    steps.push(Step::new("project", state, says));
    let (state, says) = match facts.required {
        Some(true) => (State::Note, "a key is required"),
        Some(false) => (State::Note, "no key is required"),
        None => (State::Unknown, "not told"),
    };
    steps.push(Step::new("policy", state, says));
    if let Some(in_force) = &facts.in_force {
        let (envoys, there) = (in_force.envoys, in_force.envoys_in_force);
        let (state, says) = match envoys {
            0 => (
                State::Unknown,
                "no gateway has reported in the last 90 s".to_owned(),
            ),
            _ if in_force.everywhere() => (State::Ok, format!("on {there} of {envoys} gateways")),
            _ => (State::Problem, format!("on {there} of {envoys} gateways")),
        };
        steps.push(Step::new("in force", state, says));
    }
    steps
}

fn steps_of_gateway(observed: &Observed) -> Vec<Step> {
    let filter = if observed.has_key_filter() {
        Step::new("key filter", State::Ok, "it answers here")
    } else {
        let says = "none answers here: no filter, or none for this path";
        Step::new("key filter", State::Problem, says)
    };
    let mut steps = vec![
        filter,
        step_of_reply("without a key", &observed.keyless, State::Note),
    ];
    steps.extend(
        observed
            .keyed
            .as_ref()
            .map(|reply| step_of_reply("with the key", reply, State::Problem)),
    );
    steps
}

/// `bad` is what it means when somebody refuses.
fn step_of_reply(name: &'static str, reply: &Reply, bad: State) -> Step {
    let status = reply.status.as_u16();
    let (state, says) = match &reply.speaker {
        Speaker::KeyFilter { slug, .. } => (bad, format!("{status} {}", slug.text())),
        Speaker::Upstream => (State::Ok, format!("{status} from behind the gateway")),
        Speaker::Gateway { text } if text.is_empty() => {
            (State::Problem, format!("{status} by the gateway itself"))
        }
        Speaker::Gateway { text } => (
            State::Problem,
            format!("{status} by the gateway itself: {text}"),
        ),
        Speaker::Guard { .. } => (State::Problem, format!("{status}, not by the key filter")),
        Speaker::Redirect { to } => (State::Problem, format!("{status} to {to}")),
    };
    Step {
        request_id: reply.request_id.clone(),
        ..Step::new(name, state, says)
    }
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Self::Passes => "passes",
            Self::Refused => "refused",
            Self::CannotTell => "cannot_tell",
        }
    }

    fn exit_code(self) -> u8 {
        match self {
            Self::Passes => 0,
            Self::Refused => 1,
            Self::CannotTell => 2,
        }
    }
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Problem => "problem",
            Self::Unknown => "unknown",
            Self::Note => "note",
        }
    }
}
