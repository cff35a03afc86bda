//! HTTP/1.1 on the wire, one request at a time.

use super::Request;

/// The whole request.
pub(super) fn encode(request: &Request) -> Vec<u8> {
    let method = request.body.as_ref().map_or("GET", |_| "POST");
    let mut text = format!("{method} {} HTTP/1.1\r\nhost: bench\r\n", request.path);
    for (name, value) in &request.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(body) = &request.body {
        text.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.extend(request.body.as_deref());
    text.into_bytes()
}

/// The status of the answer at the beginning of `bytes` and its length, once it is complete.
pub(super) fn answer(bytes: &[u8]) -> Option<(u16, usize)> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut head = httparse::Response::new(&mut headers);
    let parsed = head.parse(bytes);
    let httparse::Status::Complete(length) =
        parsed.unwrap_or_else(|error| panic!("{error}: {}", bytes.escape_ascii()))
    else {
        return None;
    };
    let body = head
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"))
        .and_then(|header| {
            std::str::from_utf8(header.value)
                .ok()?
                .parse::<usize>()
                .ok()
        })
        .unwrap_or_else(|| panic!("no content-length: {}", bytes.escape_ascii()));
    let whole = length + body;
    (bytes.len() >= whole).then_some((head.code?, whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_complete_with_its_body() {
        let bytes = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\n{}HTTP";
        assert_eq!(answer(bytes), Some((401, bytes.len() - 4)));
        assert_eq!(answer(&bytes[..40]), None);
        assert_eq!(answer(&bytes[..bytes.len() - 5]), None);
    }
}
