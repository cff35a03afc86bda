//! An HTTP/1.1 answer whose body is still arriving.

use std::io;
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::answer::{Answer, header};
use crate::deadline::{PATIENCE, within};

/// The head of an answer, and the way to its body. Dropping it closes the connection.
#[derive(Debug)]
pub struct OpenAnswer {
    /// The status.
    pub status: u16,
    headers: Vec<(String, Vec<u8>)>,
    stream: TcpStream,
    buffer: Vec<u8>,
    framing: Framing,
}

/// How the end of the body is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// This many bytes are left.
    Length(usize),
    /// In chunks with their length before them.
    Chunked,
    /// By the end of the connection.
    Close,
    /// It was seen.
    Ended,
}

impl OpenAnswer {
    pub(super) fn new(
        status: u16,
        headers: Vec<(String, Vec<u8>)>,
        stream: TcpStream,
        buffer: Vec<u8>,
        framing: Framing,
    ) -> Self {
        Self {
            status,
            headers,
            stream,
            buffer,
            framing,
        }
    }

    /// The value of a header, the values of a repeated one joined by commas.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        header(&self.headers, name)
    }

    /// The next piece of the body as soon as it arrives; `None` at its proper end.
    ///
    /// # Panics
    /// When nothing arrives in time.
    pub async fn next_piece(&mut self) -> io::Result<Option<Vec<u8>>> {
        self.next_piece_within(PATIENCE).await
    }

    /// As [`next_piece`](Self::next_piece), with a deadline.
    pub async fn next_piece_within(&mut self, deadline: Duration) -> io::Result<Option<Vec<u8>>> {
        within(deadline, "a piece of the body", self.piece()).await
    }

    /// Reads, and forgets, until the body ends, in order or not, and returns when it did.
    ///
    /// # Panics
    /// When it has not ended in time.
    pub async fn ended_within(&mut self, deadline: Duration) -> Instant {
        within(deadline, "the end of the body", async {
            while let Ok(Some(_)) = self.piece().await {}
        })
        .await;
        Instant::now()
    }

    /// Reads to the end. A connection that breaks before it is an error.
    pub(super) async fn finish(mut self) -> io::Result<Answer> {
        let mut body = Vec::new();
        while let Some(piece) = self.piece().await? {
            body.extend(piece);
        }
        Ok(Answer {
            status: self.status,
            headers: self.headers,
            body,
        })
    }

    async fn piece(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(piece) = self.take_piece()? {
                return Ok(Some(piece));
            }
            if self.framing == Framing::Ended {
                return Ok(None);
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                if self.framing != Framing::Close {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                self.framing = Framing::Ended;
            }
        }
    }

    /// A piece that is in the buffer already; notices the body's end.
    fn take_piece(&mut self) -> io::Result<Option<Vec<u8>>> {
        let piece = match self.framing {
            Framing::Ended => return Ok(None),
            Framing::Close => std::mem::take(&mut self.buffer),
            Framing::Length(left) => {
                let count = left.min(self.buffer.len());
                self.framing = match left - count {
                    0 => Framing::Ended,
                    left => Framing::Length(left),
                };
                self.buffer.drain(..count).collect()
            }
            Framing::Chunked => {
                let size = httparse::parse_chunk_size(&self.buffer)
                    .map_err(|_| io::Error::other("a chunk without a size"))?;
                let httparse::Status::Complete((start, size)) = size else {
                    return Ok(None);
                };
                let size = usize::try_from(size).map_err(io::Error::other)?;
                // The chunk's bytes, then CR LF. After the last chunk there may be trailers, which nobody asks for.
                if self.buffer.len() < start + size + 2 {
                    return Ok(None);
                }
                if size == 0 {
                    self.framing = Framing::Ended;
                }
                let piece = self.buffer[start..start + size].to_vec();
                self.buffer.drain(..start + size + 2);
                piece
            }
        };
        Ok((!piece.is_empty()).then_some(piece))
    }
}

impl Framing {
    pub(super) fn of(method: &str, status: u16, headers: &[(String, Vec<u8>)]) -> Self {
        if method == "HEAD" || matches!(status, 204 | 304) {
            return Self::Ended;
        }
        if header(headers, "transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
            return Self::Chunked;
        }
        match header(headers, "content-length").and_then(|length| length.parse().ok()) {
            Some(0) => Self::Ended,
            Some(length) => Self::Length(length),
            None => Self::Close,
        }
    }
}
