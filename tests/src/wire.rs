//! The wire between Envoy and the control plane, as it can be at its worst: passed on, refused, cut, delayed, silent, or
//! with somebody on it who answers nonsense. It reads requests only as far as it must to do so.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What happens to what is sent over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It arrives.
    Pass,
    /// Checks arrive; connections on which the change feed is asked for are closed.
    NoFeed,
    /// Connections are closed, open ones at once and new ones when accepted.
    Refuse,
    /// Requests are answered with nonsense.
    Garbage,
    /// Requests arrive this much later.
    Delay(Duration),
    /// Nothing arrives, in either direction, and nobody is told.
    Partition,
}

/// The wire. It is cut when this is dropped.
#[derive(Debug)]
pub struct Wire {
    addr: SocketAddr,
    state: watch::Sender<State>,
    _carriers: JoinSet<()>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    mode: Mode,
    /// How often everything was cut.
    cuts: u64,
}

impl Wire {
    /// A wire to the control plane at `far_end`, on which everything arrives.
    pub async fn start(far_end: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let addr = listener.local_addr().expect("a bound address");
        let state = watch::Sender::new(State {
            mode: Mode::Pass,
            cuts: 0,
        });
        let receiver = state.subscribe();
        let mut carriers = JoinSet::new();
        carriers.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                if let Ok((near, _)) = listener.accept().await {
                    let line = Line::new(near, far_end, receiver.clone());
                    open.spawn(line.carry());
                }
                while open.try_join_next().is_some() {}
            }
        });
        Self {
            addr,
            state,
            _carriers: carriers,
        }
    }

    /// Where Envoy connects.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// From here on this happens.
    pub fn set(&self, mode: Mode) {
        self.state.send_modify(|state| state.mode = mode);
    }

    /// Cuts all connections that are open.
    pub fn cut(&self) {
        self.state.send_modify(|state| state.cuts += 1);
    }
}

/// One connection of Envoy's.
struct Line {
    near: TcpStream,
    unread: Vec<u8>,
    far: Option<TcpStream>,
    far_end: SocketAddr,
    state: watch::Receiver<State>,
    cuts: u64,
    /// Which nonsense comes next.
    nonsense: usize,
}

/// Bodies of a 200 that are no answer to any question.
const NONSENSE: [&str; 8] = [
    "",
    "{}",
    "null",
    "<html>It works!</html>",
    r#"{"revision":"1","project":null,"key":null,"ttl_ms":1000}"#,
    r#"{"revision":1,"project":null,"key":{"verdict":"revok"#,
    r#"{"error":{"code":10401,"status":401}}"#,
    "\u{0}\u{1}\u{2}",
];

impl Line {
    fn new(near: TcpStream, far_end: SocketAddr, state: watch::Receiver<State>) -> Self {
        let cuts = state.borrow().cuts;
        Self {
            near,
            unread: Vec::new(),
            far: None,
            far_end,
            cuts,
            state,
            nonsense: 0,
        }
    }

    /// Carries one request after the other until either end is closed, or it is broken.
    async fn carry(mut self) {
        drop(self.near.set_nodelay(true));
        let mut state = self.state.clone();
        let cuts = self.cuts;
        tokio::select! {
            _ = async { while self.carry_one().await.is_ok() {} } => {}
            _ = state.wait_for(|state| state.cuts != cuts || state.mode == Mode::Refuse) => {}
        }
    }

    async fn carry_one(&mut self) -> io::Result<()> {
        let request = read_message(&mut self.near, &mut self.unread).await?;
        let feed = request.starts_with(b"GET /edge/v1/changes");
        self.connected_ends().await;
        let mode = self.state.borrow().mode;
        match mode {
            Mode::Garbage => return self.answer_nonsense().await,
            Mode::Delay(time) => tokio::time::sleep(time).await,
            Mode::Pass | Mode::NoFeed | Mode::Refuse | Mode::Partition => {}
        }
        let mut state = self.state.clone();
        let answer = tokio::select! {
            answer = self.ask_far(&request) => answer?,
            _ = state.wait_for(|state| feed && state.mode == Mode::NoFeed) => {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
        };
        self.connected_ends().await;
        self.near.write_all(&answer).await
    }

    async fn ask_far(&mut self, request: &[u8]) -> io::Result<Vec<u8>> {
        if self.far.is_none() {
            let far = TcpStream::connect(self.far_end).await?;
            far.set_nodelay(true)?;
            self.far = Some(far);
        }
        let far = self.far.as_mut().expect("a connection");
        far.write_all(request).await?;
        read_message(far, &mut Vec::new()).await
    }

    /// Waits while the two ends cannot reach each other.
    async fn connected_ends(&mut self) {
        let together = |state: &State| state.mode != Mode::Partition;
        drop(self.state.wait_for(together).await);
    }

    /// All kinds by turns: no HTTP, an error, 200 with a wrong body, 200 with a body that breaks off.
    async fn answer_nonsense(&mut self) -> io::Result<()> {
        self.nonsense = self
            .nonsense
            .wrapping_add(1 + usize::from(self.near.peer_addr()?.port()));
        let body = NONSENSE[self.nonsense / 4 % NONSENSE.len()];
        let (status, length) = match self.nonsense % 4 {
            0 => {
                self.near
                    .write_all(b"\x16\x03\x01 nonsense \r\n\r\n")
                    .await?;
                return Err(io::ErrorKind::InvalidData.into());
            }
            1 => ("500 Internal Server Error", body.len()),
            2 => ("200 OK", body.len()),
            _ => ("200 OK", body.len() + 100),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        self.near.write_all(head.as_bytes()).await?;
        if length == body.len() {
            Ok(())
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }
}

/// Reads a request or an answer: a head, and as many bytes as it announces. An end in between is an error.
async fn read_message(stream: &mut TcpStream, unread: &mut Vec<u8>) -> io::Result<Vec<u8>> {
    loop {
        let end = unread.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        if let Some(head) = end.map(|end| end + 4) {
            let text = String::from_utf8_lossy(&unread[..head]).to_ascii_lowercase();
            let length = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"));
            let length = length.and_then(|length| length.trim().parse().ok());
            let whole = head + length.unwrap_or(0);
            if unread.len() >= whole {
                let rest = unread.split_off(whole);
                return Ok(std::mem::replace(unread, rest));
            }
        }
        if stream.read_buf(unread).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}
