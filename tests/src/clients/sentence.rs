//! What a client shows its user, without what differs from run to run: ports, request ids.

use serde_json::Value;

/// The text with one name for every address and id.
pub(super) fn steady(shown: &str) -> String {
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    shorten_bodies(&without_numbers(&shown))
}

/// Puts a refusal's message in the place of the whole body: `{…"message":"Missing API key: …"…}`.
fn shorten_bodies(text: &str) -> String {
    let Some(start) = text.find("{\"jsonrpc\"") else {
        return text.to_owned();
    };
    let mut bodies = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
    let Some(Ok(body)) = bodies.next() else {
        return text.to_owned();
    };
    let end = start + bodies.byte_offset();
    let message = &body["error"]["message"];
    let rest = shorten_bodies(&text[end..]);
    format!("{}{{… \"message\":{message} …}}{rest}", &text[..start])
}

/// Ports of this machine and ids of requests and projects.
fn without_numbers(text: &str) -> String {
    let mut steady = String::new();
    let mut rest = text;
    while let Some(start) = ["127.0.0.1:", "/mcp/pr_"]
        .iter()
        .filter_map(|mark| {
            let at = rest.find(mark)?;
            Some((at, at + mark.len()))
        })
        .min()
    {
        let (_, end) = start;
        steady.push_str(&rest[..end]);
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let tail = rest[end..].find(|c| !word(c)).unwrap_or(rest.len() - end);
        steady.push('…');
        rest = &rest[end + tail..];
    }
    steady + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_ids_and_bodies_are_shortened() {
        let body = r#"{"jsonrpc":"2.0","id":null,"error":{"message":"Missing \"key\"","request_id":"12"}}"#;
        let shown = format!("E: 401\nat http://127.0.0.1:4711/mcp/pr_a1/sse: {body}, again");
        assert_eq!(
            steady(&shown),
            r#"E: 401 at http://127.0.0.1:…/mcp/pr_…/sse: {… "message":"Missing \"key\"" …}, again"#
        );
    }
}
