//! Each kind of difference is found, and what the gateway is meant to do is none.

use super::*;

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
        .collect()
}

fn answer() -> Answer {
    Answer {
        status: 200,
        headers: headers(&[("x-request-id", "1"), ("mcp-session-id", "s")]),
        body: b"data: 1\n\n".to_vec(),
        whole: true,
    }
}

fn before() -> Exchange {
    Exchange {
        method: "POST".to_owned(),
        target: "/mcp/pr_1?x=1".to_owned(),
        headers: headers(&[("host", "a"), ("x-api-key", "secret"), ("mcp-param-a", "1")]),
        body: b"{}".to_vec(),
        answer: Some(answer()),
    }
}

fn behind() -> Exchange {
    let mut answer = answer();
    answer.headers.remove("x-request-id");
    Exchange {
        target: "/mcp?x=1".to_owned(),
        headers: headers(&[
            ("host", "a"),
            ("mcp-param-a", "1"),
            ("x-request-id", "1"),
            ("x-mcp-project-id", "pr_1"),
        ]),
        answer: Some(answer),
        ..before()
    }
}

fn found(before: Exchange, behind: Exchange) -> Vec<String> {
    compare(&[before], &[behind], &["secret".to_owned()], &[]).differences
}

#[test]
fn what_the_gateway_is_meant_to_do_is_no_difference() {
    let findings = compare(&[before()], &[behind()], &["secret".to_owned()], &[]);
    assert_eq!(findings.differences, Vec::<String>::new());
    assert_eq!(findings.compared, 1);
}

#[test]
fn every_kind_of_difference_is_found() {
    type Change = fn(&mut Exchange);
    let changes: [(Change, &str); 10] = [
        (
            |far| drop(far.headers.remove("mcp-param-a")),
            "lost its header mcp-param-a",
        ),
        (
            |far| far.headers.extend(headers(&[("x-more", "1")])),
            "gained a header x-more",
        ),
        (
            |far| far.headers.extend(headers(&[("host", "b")])),
            "host [\"a\"] became",
        ),
        (
            |far| far.headers.extend(headers(&[("x-mcp-key-id", "secret")])),
            "the key reached",
        ),
        (|far| far.body = b"secret".to_vec(), "the key reached"),
        (|far| far.body = b"{ }".to_vec(), "the request's body"),
        (|far| far.target = "/mcp".to_owned(), "as /mcp"),
        (
            |far| far.headers.extend(headers(&[("x-request-id", "2")])),
            "no client sent it",
        ),
        (
            |far| far.answer.as_mut().unwrap().body.clear(),
            "the answer's body",
        ),
        (
            |far| far.answer.as_mut().unwrap().status = 202,
            "answered 202 as 200",
        ),
    ];
    for (change, what) in changes {
        let mut far = behind();
        change(&mut far);
        let found = found(before(), far);
        assert!(
            found.iter().any(|line| line.contains(what)),
            "{what}: {found:?}"
        );
    }
}

#[test]
fn a_stream_that_the_client_left_may_be_shorter_but_not_different() {
    let mut near = before();
    let cut = near.answer.as_mut().unwrap();
    cut.whole = false;
    cut.body = b"data".to_vec();
    assert_eq!(found(near.clone(), behind()), Vec::<String>::new());
    near.answer.as_mut().unwrap().body = b"dada".to_vec();
    assert_eq!(found(near, behind()).len(), 1);
}
