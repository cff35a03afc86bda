//! What makes a path ambiguous: bytes that a proxy or server behind us may decode, fold or resolve.

/// Whether every reader takes `path` for the same path: printable ASCII, nothing encoded, no parameters,
/// no empty segment but the last, no dot segment.
pub(super) fn is_plain(path: &[u8]) -> bool {
    let mut segments = path.split(|&b| b == b'/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        let plain = segment
            .iter()
            .all(|&b| b.is_ascii_graphic() && !matches!(b, b'%' | b'\\' | b';' | b'#'));
        if !plain || is_dot_segment(segment) || (segment.is_empty() && !last) {
            return false;
        }
    }
    true
}

/// Whether what follows the captured id could lead a reader back out of it: a dot segment, plain, encoded or
/// with parameters, a backslash, an encoded slash or percent sign, a control or non-ASCII byte.
pub(super) fn has_escaping_tail(tail: &[u8]) -> bool {
    let readable = tail
        .iter()
        .all(|&b| b.is_ascii_graphic() && !matches!(b, b'\\' | b'#'));
    !readable
        || tail.windows(3).any(is_escaping_triplet)
        || tail.split(|&b| b == b'/').any(is_dot_segment)
}

/// `%2e`, `%2f`, `%5c`, `%25` and `%3b` in either case: what decodes to a dot, a separator, a parameter or another
/// escape; every encoded control character; and `%c0`, `%c1`, with which only overlong UTF-8 begins.
fn is_escaping_triplet(triplet: &[u8]) -> bool {
    let [b'%', high, low] = *triplet else {
        return false;
    };
    matches!(
        (high.to_ascii_lowercase(), low.to_ascii_lowercase()),
        (b'2', b'e' | b'f' | b'5')
            | (b'5', b'c')
            | (b'3', b'b')
            | (b'c', b'0' | b'1')
            | (b'0' | b'1', _)
    )
}

/// `.` or `..`, with or without `;parameters`.
fn is_dot_segment(segment: &[u8]) -> bool {
    let name = segment.split(|&b| b == b';').next().unwrap_or(segment);
    matches!(name, b"." | b"..")
}
