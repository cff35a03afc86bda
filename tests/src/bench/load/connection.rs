//! One connection: what is open on it, what is still to be written, what was read so far.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use super::Protocol;
use super::http1;
use super::http2::Http2;

/// In place of the status of a request whose connection was closed first.
const UNANSWERED: u16 = 0;

/// A connection in one of both protocols.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    wire: Wire,
    /// The most requests that may be open at once.
    capacity: usize,
    /// Stream and due time of the open requests.
    open: Vec<(u32, Instant)>,
    unsent: Vec<u8>,
    unread: Vec<u8>,
    closed: bool,
}

#[derive(Debug)]
enum Wire {
    Http1,
    Http2(Box<Http2>),
}

impl Connection {
    pub(super) fn open(addr: SocketAddr, protocol: Protocol, capacity: usize) -> Self {
        let stream = TcpStream::connect(addr)
            .unwrap_or_else(|error| panic!("cannot connect to {addr}: {error}"));
        stream.set_nodelay(true).expect("a socket option");
        stream.set_nonblocking(true).expect("a socket option");
        let mut unsent = Vec::new();
        let wire = match protocol {
            Protocol::Http1 => Wire::Http1,
            Protocol::Http2 => Wire::Http2(Box::new(Http2::new(&mut unsent))),
        };
        Self {
            stream,
            wire,
            capacity,
            open: Vec::with_capacity(capacity),
            unsent,
            unread: Vec::new(),
            closed: false,
        }
    }

    pub(super) fn has_room(&self) -> bool {
        !self.closed && self.open.len() < self.capacity
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// Takes a request on; [`flush`](Self::flush) sends it.
    pub(super) fn send(&mut self, encoded: &[u8], due: Instant) {
        let stream = match &mut self.wire {
            Wire::Http1 => {
                self.unsent.extend_from_slice(encoded);
                0
            }
            Wire::Http2(http2) => http2.send(&mut self.unsent, encoded),
        };
        self.open.push((stream, due));
    }

    /// Writes what there is to write. Requests are small and few, so that the socket always takes them.
    pub(super) fn flush(&mut self) {
        if !self.unsent.is_empty() {
            self.stream
                .write_all(&self.unsent)
                .expect("the gateway takes a request");
            self.unsent.clear();
        }
    }

    /// Reads what there is to read and hands over status and due time of each answer that is complete; [`UNANSWERED`] for
    /// those that will never be.
    pub(super) fn receive(&mut self, mut finished: impl FnMut(u16, Instant)) {
        let mut buffer = [0; 16_384];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => {
                    self.closed = true;
                    break;
                }
                Ok(count) => {
                    self.unread.extend_from_slice(&buffer[..count]);
                    if count < buffer.len() {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                    self.closed = true;
                    break;
                }
                Err(error) => panic!("cannot read an answer: {error}"),
            }
        }
        let mut read = 0;
        while let Some((length, answer)) = match &mut self.wire {
            Wire::Http1 if self.unread.len() == read => None,
            Wire::Http1 => http1::answer(&self.unread[read..])
                .map(|(status, length)| (length, Some((0, status)))),
            Wire::Http2(http2) => http2.receive(&self.unread[read..], &mut self.unsent),
        } {
            read += length;
            if let Some((stream, status)) = answer {
                let index = self.open.iter().position(|(id, _)| *id == stream);
                let (_, due) = self
                    .open
                    .swap_remove(index.expect("an answer to a request"));
                finished(status, due);
            }
        }
        self.unread.drain(..read);
        if self.closed {
            for (_, due) in self.open.drain(..) {
                finished(UNANSWERED, due);
            }
        } else {
            self.flush();
        }
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
