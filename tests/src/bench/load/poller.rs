//! Waits for connections on which there is something to read, up to a moment that is exact to microseconds.

use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{Timespec, epoll};

use super::connection::Connection;

/// How long a wait lasts that has no end of its own.
const LONGEST: Duration = Duration::from_millis(100);

/// The connections that are looked at, by number.
pub(super) struct Poller {
    epoll: OwnedFd,
    events: Vec<epoll::Event>,
}

impl Poller {
    pub(super) fn new() -> Self {
        Self {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC).expect("an epoll"),
            events: Vec::with_capacity(256),
        }
    }

    pub(super) fn add(&self, connection: &Connection, index: usize) {
        let data = epoll::EventData::new_u64(index as u64);
        epoll::add(&self.epoll, connection.as_fd(), data, epoll::EventFlags::IN)
            .expect("a connection to look at");
    }

    /// Does not look at this one any more.
    pub(super) fn remove(&self, connection: &Connection) {
        epoll::delete(&self.epoll, connection.as_fd()).expect("a connection that was looked at");
    }

    /// The connections with something to read, or none when `until` has come.
    pub(super) fn wait(&mut self, until: Option<Instant>) -> Vec<usize> {
        let wait = until.map_or(LONGEST, |until| {
            until.saturating_duration_since(Instant::now())
        });
        let timeout = Timespec::try_from(wait.min(LONGEST)).expect("a short time");
        self.events.clear();
        let waited = epoll::wait(
            &self.epoll,
            rustix::buffer::spare_capacity(&mut self.events),
            Some(&timeout),
        );
        if let Err(error) = waited {
            assert!(error == rustix::io::Errno::INTR, "epoll: {error}");
        }
        self.events
            .iter()
            .map(|event| event.data.u64() as usize)
            .collect()
    }
}
