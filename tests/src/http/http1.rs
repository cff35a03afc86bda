//! HTTP/1.1 by hand: writes the bytes that it is given and reads the head of what comes back.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::open_answer::{Framing, OpenAnswer};
use super::{Answer, Call};
use crate::deadline::{PATIENCE, within};

/// Sends these bytes on a connection of their own and reads one answer.
///
/// # Panics
/// When there is no whole answer in time.
pub async fn raw(addr: SocketAddr, request: impl AsRef<[u8]>) -> io::Result<Answer> {
    let request = request.as_ref();
    let method = request.split(|byte| *byte == b' ').next();
    let method = String::from_utf8_lossy(method.unwrap_or_default()).into_owned();
    let what = format!("raw {method}");
    within(PATIENCE, &what, async {
        open(addr, &method, request).await?.finish().await
    })
    .await
}

impl Call {
    /// The request's bytes.
    pub(super) fn to_http1(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(self.method.as_bytes());
        bytes.push(b' ');
        bytes.extend_from_slice(&self.target);
        bytes.extend_from_slice(b" HTTP/1.1\r\n");
        let mut line = |name: &[u8], value: &[u8]| {
            bytes.extend_from_slice(name);
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        };
        if !self.has("host") {
            line(b"host", self.addr.to_string().as_bytes());
        }
        for (name, value) in &self.headers {
            line(name, value);
        }
        let length = self.body.as_ref().map(Vec::len);
        if let Some(length) = length.filter(|_| !self.has("content-length")) {
            line(b"content-length", length.to_string().as_bytes());
        }
        if !self.has("connection") {
            line(b"connection", b"close");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend(self.body.iter().flatten());
        bytes
    }

    fn has(&self, name: &str) -> bool {
        self.headers
            .iter()
            .any(|(other, _)| other.eq_ignore_ascii_case(name.as_bytes()))
    }
}

/// Sends `request` and reads the head of the answer; `method` tells whether the answer has a body.
pub(super) async fn open(addr: SocketAddr, method: &str, request: &[u8]) -> io::Result<OpenAnswer> {
    let mut stream = TcpStream::connect(addr).await?;
    stream.set_nodelay(true)?;
    // A gateway that refuses early may close before it has read the whole body; its answer is what counts.
    let written = stream.write_all(request).await;
    let mut buffer = Vec::new();
    loop {
        if let Some(head) = Head::parse(&buffer)? {
            let rest = buffer.split_off(head.length);
            if (100..200).contains(&head.status) {
                buffer = rest;
                continue;
            }
            let framing = Framing::of(method, head.status, &head.headers);
            return Ok(OpenAnswer::new(
                head.status,
                head.headers,
                stream,
                rest,
                framing,
            ));
        }
        if stream.read_buf(&mut buffer).await? == 0 {
            written?;
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// An answer's status line and headers.
struct Head {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    /// Of the head, in bytes.
    length: usize,
}

impl Head {
    fn parse(buffer: &[u8]) -> io::Result<Option<Self>> {
        let mut headers = [httparse::EMPTY_HEADER; 128];
        let mut response = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(length) =
            response.parse(buffer).map_err(io::Error::other)?
        else {
            return Ok(None);
        };
        Ok(Some(Self {
            status: response.code.unwrap_or_default(),
            headers: response
                .headers
                .iter()
                .map(|header| (header.name.to_ascii_lowercase(), header.value.to_vec()))
                .collect(),
            length,
        }))
    }
}
