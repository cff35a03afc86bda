//! HTTP/2 on the wire, as much as the load needs. Requests are literals without a dynamic table, so that their bytes do
//! not depend on what was sent before; answers are decoded in full.

use loona_hpack::Decoder;

use super::Request;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

/// The length of a frame's head.
const HEAD: usize = 9;
/// The most that a peer may send on a connection before it is told that it may go on.
const WINDOW: u32 = 0x4000_0000;

/// One end of a connection.
pub(super) struct Http2 {
    decoder: Decoder<'static>,
    next_stream: u32,
    /// Statuses of answers whose bodies are under way.
    heads: Vec<(u32, u16)>,
    /// Bytes of bodies since the peer was last told that it may go on.
    taken: u32,
}

impl Http2 {
    /// The end of a client; what it must send first is appended to `out`.
    pub(super) fn new(out: &mut Vec<u8>) -> Self {
        out.extend_from_slice(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        // No push (2), and a window (4) that no answer fills.
        frame(
            out,
            SETTINGS,
            0,
            0,
            &[0, 2, 0, 0, 0, 0, 0, 4, 0x40, 0, 0, 0],
        );
        frame(out, WINDOW_UPDATE, 0, 0, &WINDOW.to_be_bytes());
        Self {
            decoder: Decoder::new(),
            next_stream: 1,
            heads: Vec::new(),
            taken: 0,
        }
    }

    /// Appends the frame of a request and returns its stream.
    pub(super) fn send(&mut self, out: &mut Vec<u8>, encoded: &[u8]) -> u32 {
        let stream = self.next_stream;
        self.next_stream += 2;
        frame(out, HEADERS, END_HEADERS | END_STREAM, stream, encoded);
        stream
    }

    /// Reads the frame at the beginning of `bytes`, if all of it is there: returns its length, and stream and status when
    /// it ends an answer. What must be said in return is appended to `out`.
    pub(super) fn receive(
        &mut self,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Option<(usize, Option<(u32, u16)>)> {
        let [a, b, c, kind, flags, s0, s1, s2, s3] = *bytes.first_chunk::<HEAD>()?;
        let whole = HEAD + u32::from_be_bytes([0, a, b, c]) as usize;
        let payload = bytes.get(HEAD..whole)?;
        let stream = u32::from_be_bytes([s0, s1, s2, s3]);
        match kind {
            HEADERS => {
                assert!(flags & END_HEADERS != 0, "a header block in two pieces");
                let status = self.status(payload);
                self.heads.push((stream, status));
            }
            DATA => {
                self.taken += payload.len() as u32;
                if self.taken > WINDOW / 2 {
                    frame(out, WINDOW_UPDATE, 0, 0, &self.taken.to_be_bytes());
                    self.taken = 0;
                }
            }
            SETTINGS if flags & ACK == 0 => frame(out, SETTINGS, ACK, 0, &[]),
            PING if flags & ACK == 0 => frame(out, PING, ACK, 0, payload),
            RST_STREAM | GOAWAY => panic!("the gateway gave up: {}", payload.escape_ascii()),
            _ => {}
        }
        let ended = matches!(kind, HEADERS | DATA) && flags & END_STREAM != 0;
        let finished = ended.then(|| {
            let index = self.heads.iter().position(|(id, _)| *id == stream);
            self.heads
                .swap_remove(index.expect("an answer has a status"))
        });
        Some((whole, finished))
    }

    fn status(&mut self, block: &[u8]) -> u16 {
        let mut status = None;
        self.decoder
            .decode_with_cb(block, |name, value| {
                if &*name == b":status" {
                    status = std::str::from_utf8(&value)
                        .ok()
                        .and_then(|v| v.parse().ok());
                }
            })
            .unwrap_or_else(|error| panic!("{error:?} in a header block"));
        status.expect("an answer has a status")
    }
}

impl std::fmt::Debug for Http2 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http2").finish_non_exhaustive()
    }
}

/// The header block.
pub(super) fn encode(request: &Request) -> Vec<u8> {
    assert!(request.body.is_none(), "bodies go over HTTP/1.1 only");
    let mut block = Vec::new();
    literal(&mut block, ":method", "GET");
    literal(&mut block, ":scheme", "http");
    literal(&mut block, ":authority", "bench");
    literal(&mut block, ":path", &request.path);
    for (name, value) in &request.headers {
        literal(&mut block, name, value);
    }
    block
}

/// A literal header field without indexing and without Huffman coding (RFC 7541, 6.2.2).
fn literal(block: &mut Vec<u8>, name: &str, value: &str) {
    block.push(0);
    for text in [name, value] {
        block.extend(loona_hpack::encoder::encode_integer(text.len(), 7));
        block.extend_from_slice(text.as_bytes());
    }
}

fn frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let length = u32::try_from(payload.len()).expect("a frame's length");
    out.extend_from_slice(&length.to_be_bytes()[1..]);
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
}
