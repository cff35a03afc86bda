//! One request between its headers and its decision, shared by its own context and the root that answers it.

use std::cell::RefCell;
use std::rc::Rc;

use proxy_wasm::hostcalls;
use proxy_wasm::types::Action;

use super::ffi;
use super::worker::Worker;
use crate::authenticator::{Decision, Ruling};
use crate::cache::Recollection;
use crate::check::Question;
use crate::denial::{Denial, Refusal};
use crate::identity;
use crate::now::Now;
use crate::outcome::{CacheState, Outcome};
use crate::request::Request;

/// An exchange as its owners hold it.
pub(super) type SharedExchange = Rc<Exchange>;

/// A request on its way to exactly one outcome.
#[derive(Debug)]
pub(super) struct Exchange {
    /// What was asked of us.
    pub(super) request: Request,
    /// What it is judged on; `None` where nothing had to be known.
    recollection: RefCell<Option<Rc<Recollection>>>,
    state: RefCell<State>,
}

/// **A state is left only downwards, and every exchange is counted once: on reaching one of the last three.**
#[derive(Debug, PartialEq, Eq)]
enum State {
    /// Its headers are being looked at.
    Arrived,
    /// It is paused until its question is answered.
    Waiting(Question),
    /// It went on upstream.
    Continued,
    /// It was answered by the filter; nothing of it may go upstream.
    Denied,
    /// It ended before it was decided.
    Abandoned,
}

impl Exchange {
    pub(super) fn new(request: Request, recollection: Option<Rc<Recollection>>) -> SharedExchange {
        Rc::new(Self {
            request,
            recollection: RefCell::new(recollection),
            state: RefCell::new(State::Arrived),
        })
    }

    /// What it is judged on.
    pub(super) fn recollection(&self) -> Option<Rc<Recollection>> {
        self.recollection.borrow().clone()
    }

    /// What was learnt since it came.
    pub(super) fn learn(&self, recollection: Rc<Recollection>) {
        *self.recollection.borrow_mut() = Some(recollection);
    }

    /// Whether its body and trailers must stay where they are.
    pub(super) fn holds_back(&self) -> bool {
        matches!(*self.state.borrow(), State::Waiting(_) | State::Denied)
    }

    /// Whether it went on upstream on something that it was judged on, and on what.
    pub(super) fn admitted_on(&self) -> Option<Rc<Recollection>> {
        let continued = *self.state.borrow() == State::Continued;
        continued.then(|| self.recollection()).flatten()
    }

    /// Pauses it. Until something better is known, the access log calls it abandoned.
    pub(super) fn wait(&self, question: Question) -> Action {
        self.state.replace(State::Waiting(question));
        set_filter_state("mcp.outcome", Outcome::Abandoned.name());
        Action::Pause
    }

    /// Ends a wait to which no decision will come any more, and tells for what it waited.
    pub(super) fn abandon(&self, worker: &Worker) -> Option<Question> {
        let mut state = self.state.borrow_mut();
        if !matches!(*state, State::Waiting(_)) {
            return None;
        }
        worker.metrics.request(Outcome::Abandoned, CacheState::Miss);
        match std::mem::replace(&mut *state, State::Abandoned) {
            State::Waiting(question) => Some(question),
            _ => None,
        }
    }

    /// Carries out `decision`, once: the only place where a decision becomes host calls. The effective
    /// context must be that of this request.
    pub(super) fn apply(&self, worker: &Worker, decision: &Decision, now: Now) -> Action {
        let paused = match *self.state.borrow() {
            State::Arrived => false,
            State::Waiting(_) => true,
            State::Continued | State::Denied | State::Abandoned => return Action::Continue,
        };
        if paused && ffi::response_has_begun() {
            // Envoy's own, such as that of an idle timeout.
            self.abandon(worker);
            return Action::Continue;
        }
        worker.metrics.request(decision.outcome(), decision.cache);
        if let Some(recollection) = &*self.recollection.borrow() {
            let hint = &recollection.usage;
            worker.usage.count(decision, hint, now, &worker.metrics);
        }
        set_filter_state("mcp.outcome", decision.outcome().name());
        // A filter state costs more than the look-up that a hit is; the log is told of everything else.
        if decision.cache != CacheState::Hit {
            set_filter_state("mcp.cache", decision.cache.name());
        }
        self.identify(decision);
        match decision.ruling {
            Ruling::Continue { strip_key, .. } => {
                self.state.replace(State::Continued);
                if strip_key {
                    self.strip_key(worker);
                }
                // A resume inside the headers callback would send the request upstream twice.
                if paused && hostcalls::resume_http_request().is_err() {
                    log::error!("Envoy did not resume a request");
                }
                Action::Continue
            }
            Ruling::Deny(denial) => {
                self.state.replace(State::Denied);
                self.deny(worker, denial);
                Action::Pause
            }
        }
    }

    /// Takes out what the client claims to be, before an upstream or a log can believe it.
    pub(super) fn unmask(&self) {
        for forged in &self.request.forged {
            remove_header(forged);
        }
    }

    fn strip_key(&self, worker: &Worker) {
        for carrier in worker.config.key_sources.names(self.request.carriers) {
            remove_header(carrier);
        }
    }

    /// Puts in who it is, for the upstream where it goes on, and in any case for the access log: a header costs less than a
    /// filter state, and the upstream needs it anyway.
    fn identify(&self, decision: &Decision) {
        if let Some(project) = &decision.project {
            add_header(identity::PROJECT_ID, project.as_str());
        }
        if let Some(key_id) = &decision.key_id {
            add_header(identity::KEY_ID, key_id.as_str());
        }
    }

    fn deny(&self, worker: &Worker, denial: Denial) {
        let refusal = denial.refusal();
        let request_id = self.request.request_id.as_deref();
        let body = worker.bodies.render(refusal, request_id);
        let retry_after = worker.config.retry_after_s.to_string();
        let mut headers = vec![
            ("content-type", refusal.content_type()),
            ("cache-control", "no-store"),
        ];
        match refusal {
            Refusal::MissingKey
            | Refusal::AmbiguousKey
            | Refusal::UserKey
            | Refusal::OrganisationKey
            | Refusal::ConsumerKey
            | Refusal::InvalidKey => headers.extend(
                worker
                    .config
                    .challenge
                    .value()
                    .map(|challenge| ("www-authenticate", challenge)),
            ),
            Refusal::Unavailable => headers.push(("retry-after", &retry_after)),
            Refusal::NoOAuth | Refusal::NoMetadata | Refusal::UnknownProject => {}
        }
        log::debug!("{}", denial.outcome_name());
        if !ffi::send_local_response(
            refusal.status(),
            denial.details(),
            &headers,
            body.as_bytes(),
        ) {
            log::error!("Envoy did not take the answer to a refused request");
        }
    }
}

impl AsRef<Request> for Exchange {
    fn as_ref(&self) -> &Request {
        &self.request
    }
}

fn remove_header(name: &str) {
    if !ffi::remove_request_header(name) {
        log::error!("Envoy did not remove a request header");
    }
}

/// There is none of that name once the request is unmasked.
fn add_header(name: &str, value: &str) {
    if !ffi::add_request_header(name, value) {
        log::error!("Envoy did not add a request header");
    }
}

/// Values are ids and names from fixed lists, which need no escaping in any log.
fn set_filter_state(name: &str, value: &str) {
    if !ffi::set_filter_state(name, value) {
        log::debug!("Envoy did not take the filter state {name}");
    }
}
