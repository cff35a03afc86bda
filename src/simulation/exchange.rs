//! One request between its headers and its decision, and the record of how it ended.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::cast::{Shows, Target};
use crate::authenticator::Decision;
use crate::cache::Recollection;
use crate::check::{Fault, Question};
use crate::feed::Mark;
use crate::now::Now;
use crate::request::Request;

/// One request.
pub(super) struct Exchange {
    pub(super) id: u32,
    pub(super) target: Target,
    pub(super) shows: Shows,
    pub(super) request: Request,
    pub(super) recollection: RefCell<Rc<Recollection>>,
    pub(super) waits_for: RefCell<Option<Question>>,
    /// Whether its response goes on.
    pub(super) opens: bool,
    pub(super) decided: Cell<bool>,
}

/// How a request ended, for the oracle.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) id: u32,
    pub(super) worker: usize,
    pub(super) target: Target,
    pub(super) shows: Shows,
    pub(super) opens: bool,
    pub(super) at: Now,
    pub(super) decision: Decision,
    /// What the worker knew of the feed.
    pub(super) mark: Mark,
    /// Since when the answer could have been read, for a request that was answered.
    pub(super) asked_ms: Option<u64>,
    /// Whether this request's own check failed, or one of the worker's did so recently, as the network knows.
    pub(super) faulted: bool,
    /// Whether a limit of the worker kept it from being asked about.
    pub(super) over_limit: bool,
}

/// Why a decision is what it is.
#[derive(Debug, Clone, Copy)]
pub(super) enum By {
    Memory,
    Answer { asked_ms: u64 },
    Fault(Fault),
}

impl AsRef<Request> for Exchange {
    fn as_ref(&self) -> &Request {
        &self.request
    }
}
