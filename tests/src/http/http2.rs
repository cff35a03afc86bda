//! HTTP/2 by hand, one request per connection: libraries refuse to send the paths and headers that an attacker would.

use std::io;

use loona_hpack::Decoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Answer, Call};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

/// The largest frame that may be sent without asking.
const MAX_FRAME: usize = 16_384;

/// Sends the request and reads the answer. Bodies are limited to the peer's first window of 64 KiB.
pub(super) async fn send(call: &Call) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(call.addr).await?;
    stream.set_nodelay(true)?;
    let mut bytes = PREFACE.to_vec();
    // No dynamic table for the peer (1), and a window that no answer in the tests fills (4).
    bytes.extend(frame(
        SETTINGS,
        0,
        0,
        &[0, 1, 0, 0, 0, 0, 0, 4, 0x7f, 0, 0, 0],
    ));
    bytes.extend(frame(WINDOW_UPDATE, 0, 0, &[0x40, 0, 0, 0]));
    let end_stream = if call.body.is_none() { END_STREAM } else { 0 };
    bytes.extend(frame(
        HEADERS,
        END_HEADERS | end_stream,
        1,
        &call.to_hpack(),
    ));
    if let Some(body) = &call.body {
        for piece in body.chunks(MAX_FRAME) {
            bytes.extend(frame(DATA, 0, 1, piece));
        }
        bytes.extend(frame(DATA, END_STREAM, 1, &[]));
    }
    stream.write_all(&bytes).await?;
    receive(&mut stream).await
}

impl Call {
    /// The header block: literals only, in order, exactly these bytes.
    fn to_hpack(&self) -> Vec<u8> {
        let mut block = Vec::new();
        let authority = self.addr.to_string();
        literal(&mut block, b":method", self.method.as_bytes());
        literal(&mut block, b":scheme", b"http");
        literal(&mut block, b":authority", authority.as_bytes());
        literal(&mut block, b":path", &self.target);
        for (name, value) in &self.headers {
            literal(&mut block, name, value);
        }
        block
    }
}

/// A literal header field without indexing and without Huffman coding (RFC 7541, 6.2.2).
fn literal(block: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    block.push(0);
    for text in [name, value] {
        block.extend(loona_hpack::encoder::encode_integer(text.len(), 7));
        block.extend_from_slice(text);
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a frame's length");
    let mut bytes = length.to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

async fn receive(stream: &mut TcpStream) -> io::Result<Answer> {
    let mut decoder = Decoder::new();
    let mut block = Vec::new();
    let mut answer = None;
    let mut body = Vec::new();
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let [a, b, c, kind, flags, ..] = head;
        let length = u32::from_be_bytes([0, a, b, c]);
        let mut payload = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        stream.read_exact(&mut payload).await?;
        match kind {
            SETTINGS if flags & ACK == 0 => {
                stream.write_all(&frame(SETTINGS, ACK, 0, &[])).await?;
            }
            PING if flags & ACK == 0 => stream.write_all(&frame(PING, ACK, 0, &payload)).await?,
            RST_STREAM => return Err(refused("stream reset", &payload)),
            GOAWAY if answer.is_none() => return Err(refused("connection refused", &payload)),
            HEADERS | CONTINUATION => {
                block.extend(payload);
                if flags & END_HEADERS != 0 && answer.is_none() {
                    answer = final_head(&mut decoder, &std::mem::take(&mut block))?;
                }
            }
            DATA => body.extend(payload),
            _ => {}
        }
        if matches!(kind, HEADERS | DATA)
            && flags & END_STREAM != 0
            && let Some((status, headers)) = answer
        {
            return Ok(Answer {
                status,
                headers,
                body,
            });
        }
    }
}

type ParsedHead = (u16, Vec<(String, Vec<u8>)>);

/// The head of an answer; `None` for an interim one.
fn final_head(decoder: &mut Decoder<'_>, block: &[u8]) -> io::Result<Option<ParsedHead>> {
    let fields = decoder
        .decode(block)
        .map_err(|error| io::Error::other(format!("{error:?}")))?;
    let mut status = 0;
    let mut headers = Vec::new();
    for (name, value) in fields {
        if name == b":status" {
            status = String::from_utf8_lossy(&value).parse().unwrap_or(0);
        } else {
            headers.push((String::from_utf8_lossy(&name).into_owned(), value));
        }
    }
    Ok((status >= 200).then_some((status, headers)))
}

fn refused(what: &str, payload: &[u8]) -> io::Error {
    let reason = format!("{what}: {}", payload.escape_ascii());
    io::Error::new(io::ErrorKind::ConnectionReset, reason)
}
