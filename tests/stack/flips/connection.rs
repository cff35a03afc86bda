//! A client's connection over HTTP/1.1 that is used for one request after the other, as MCP clients use theirs. It stays
//! with one worker of Envoy as long as it is open.

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An open connection.
pub(crate) struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
    closing: bool,
}

/// What matters of an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Whether it says when to try again.
    pub(crate) retry_after: bool,
    /// Before the first byte of the request was sent.
    pub(crate) sent: Instant,
    /// After the last byte of the answer was read.
    pub(crate) received: Instant,
}

impl Connection {
    pub(crate) async fn open(addr: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            unread: Vec::new(),
            closing: false,
        })
    }

    /// Whether the gateway has announced that it closes the connection.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing
    }

    /// Sends a request and reads the whole answer. A connection that was closed before a byte of the answer came is an
    /// error of kind `ConnectionReset`.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> io::Result<Reply> {
        let sent = Instant::now();
        let closed = |_| io::Error::from(io::ErrorKind::ConnectionReset);
        self.stream.write_all(request).await.map_err(closed)?;
        loop {
            if let Some(answer) = Answer::parse(&self.unread)? {
                self.unread.drain(..answer.length);
                self.closing = answer.closes;
                return Ok(Reply {
                    status: answer.status,
                    retry_after: answer.retry_after,
                    sent,
                    received: Instant::now(),
                });
            }
            let read = self.stream.read_buf(&mut self.unread).await;
            match (read, self.unread.is_empty()) {
                (Ok(0) | Err(_), true) => return Err(io::ErrorKind::ConnectionReset.into()),
                (Ok(0), false) => return Err(io::ErrorKind::UnexpectedEof.into()),
                (read, _) => read?,
            };
        }
    }
}

/// A `POST` to a project's URL, as bytes. It has no body: Envoy closes a connection on which it answers before it has
/// read the body.
pub(crate) fn request(project: &str, key: Option<&str>) -> Vec<u8> {
    let key = key.map_or_else(String::new, |key| format!("x-api-key: {key}\r\n"));
    format!("POST /mcp/{project} HTTP/1.1\r\nhost: gateway\r\ncontent-length: 0\r\n{key}\r\n")
        .into_bytes()
}

/// A whole answer at the beginning of what was read.
struct Answer {
    status: u16,
    retry_after: bool,
    closes: bool,
    length: usize,
}

impl Answer {
    fn parse(bytes: &[u8]) -> io::Result<Option<Self>> {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut head = httparse::Response::new(&mut headers);
        let parsed = head.parse(bytes).map_err(io::Error::other)?;
        let httparse::Status::Complete(length) = parsed else {
            return Ok(None);
        };
        let header = |name: &str| {
            let mut found = head.headers.iter();
            let found = found.find(|header| header.name.eq_ignore_ascii_case(name));
            found.map(|header| String::from_utf8_lossy(header.value))
        };
        let body: usize = header("content-length")
            .and_then(|length| length.parse().ok())
            .ok_or_else(|| io::Error::other("an answer without a length"))?;
        let length = length + body;
        Ok((bytes.len() >= length).then_some(Self {
            status: head.code.unwrap_or_default(),
            retry_after: header("retry-after").is_some(),
            closes: header("connection").is_some_and(|value| value == "close"),
            length,
        }))
    }
}
