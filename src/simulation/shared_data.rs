//! Envoy's shared data, and the preemption of workers at each access to it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// Values that outlive every VM; each write has a number.
#[derive(Debug, Default)]
pub(super) struct SharedData {
    values: RefCell<BTreeMap<String, (Vec<u8>, u32)>>,
    last_cas: Cell<u32>,
    /// What was written before, for an intruder who puts it back.
    past: RefCell<Vec<(String, Vec<u8>)>>,
}

/// What another plugin does to a value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Tamper {
    Empty,
    Truncate,
    FlipBit,
    /// Makes another verdict or policy of a bucket's first entry, under its old seal.
    Forge,
    /// Puts another value's bytes there.
    Move,
    /// Puts back what the filter itself once wrote there.
    Replay,
}

impl SharedData {
    /// As Envoy's: the value and its number, which no write has without a value.
    pub(super) async fn get(&self, name: &str) -> (Option<Vec<u8>>, Option<u32>) {
        Pause::default().await;
        match self.values.borrow().get(name) {
            Some((value, cas)) => (Some(value.clone()), Some(*cas)),
            None => (None, None),
        }
    }

    /// As Envoy's: without a number the write always succeeds.
    pub(super) async fn set(&self, name: &str, value: &[u8], cas: Option<u32>) -> bool {
        Pause::default().await;
        assert!(
            value.len() <= largest(name),
            "invariant 2: {name} takes {} bytes",
            value.len()
        );
        let standing = self.values.borrow().get(name).map(|(_, cas)| *cas);
        if cas.is_some() && cas != standing {
            return false;
        }
        self.past
            .borrow_mut()
            .push((name.to_owned(), value.to_vec()));
        self.write(name, value.to_vec());
        true
    }

    /// Another plugin writes. It can be made to spare the feed's state: where the control plane does not tell which
    /// database it has, a state of before it was restored, put back, cannot be told from one of today.
    pub(super) fn tamper(&self, how: Tamper, which: usize, other: usize, spares_feed: bool) {
        let spared = |name: &str| spares_feed && (name == "feed/mark" || name == "feed/table");
        let values = self.values.borrow();
        let names = values.keys().filter(|name| !spared(name));
        let names: Vec<String> = names.cloned().collect();
        drop(values);
        let Some(name) = names.get(which % names.len().max(1)) else {
            return;
        };
        let mut value = self.values.borrow()[name].0.clone();
        match how {
            Tamper::Empty => value.clear(),
            Tamper::Truncate => value.truncate(other % (value.len() + 1)),
            Tamper::FlipBit => {
                let at = other % value.len().max(1);
                if let Some(byte) = value.get_mut(at) {
                    *byte ^= 1 << (other % 8);
                }
            }
            Tamper::Forge => {
                if let Some(kind) = value.get_mut(FIRST_KIND) {
                    *kind = (other % 3) as u8;
                }
            }
            Tamper::Move => {
                let from = &names[other % names.len()];
                value = self.values.borrow()[from].0.clone();
            }
            Tamper::Replay => {
                let past = self.past.borrow();
                let before: Vec<_> = past.iter().filter(|(n, _)| n == name).collect();
                if !before.is_empty() {
                    value = before[other % before.len()].1.clone();
                }
            }
        }
        self.write(name, value);
    }

    /// The feed's state, but for the lease.
    pub(super) fn feed(&self) -> Vec<(String, Vec<u8>)> {
        let values = self.values.borrow();
        ["feed/mark", "feed/table"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), values.get(name)?.0.clone())))
            .collect()
    }

    /// Another plugin puts `by` in the feed's place, or spoils it.
    pub(super) fn replace_feed(&self, by: Option<Vec<(String, Vec<u8>)>>) {
        let spoilt = || self.feed().into_iter().map(|(name, _)| (name, Vec::new()));
        for (name, value) in by.unwrap_or_else(|| spoilt().collect()) {
            self.write(&name, value);
        }
    }

    /// How many values there are under names that begin like this.
    pub(super) fn count(&self, prefix: &str) -> usize {
        let values = self.values.borrow();
        values
            .keys()
            .filter(|name| name.starts_with(prefix))
            .count()
    }

    fn write(&self, name: &str, value: Vec<u8>) {
        self.last_cas.set(self.last_cas.get() + 1);
        let value = (value, self.last_cas.get());
        self.values.borrow_mut().insert(name.to_owned(), value);
    }
}

/// Where a bucket's first entry says what it is: after version, name, tag, length and stamp.
const FIRST_KIND: usize = 1 + 16 + 16 + 1 + 28;

/// The most that the filter may write under a name: four sealed entries, or the feed's table.
fn largest(name: &str) -> usize {
    match name {
        "feed/table" => 17_000,
        _ => 1 + 4 * (16 + 16 + 1 + 101),
    }
}

/// A point at which a worker's thread can lose its core to another's.
#[derive(Debug, Default)]
struct Pause(bool);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// Goes on with a worker's callback, for `steps` accesses at most. Tells whether it is through.
pub(super) fn advance(task: &mut Pin<Box<dyn Future<Output = ()>>>, steps: usize) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    (0..steps).any(|_| task.as_mut().poll(&mut context).is_ready())
}

/// Runs something to its end with nobody in between.
pub(super) fn at_once<T>(task: impl Future<Output = T>) -> T {
    let mut task = pin!(task);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = task.as_mut().poll(&mut context) {
            return value;
        }
    }
}
