//! Only a complete and consistent answer is an answer.

use edge_api::id::Id;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn question(key: bool) -> Question {
    Question {
        subject: Subject::ProjectId(Id::parse("p1").unwrap()),
        key: key.then_some(KeySha256([7; 32])),
        name: LocalName::default(),
    }
}

fn project() -> Value {
    json!({"id": "p1", "require_mcp_api_key": true})
}

fn valid_key() -> Value {
    json!({"verdict": "valid", "id": "k1", "expires_at": null})
}

fn read(question: &Question, body: &Value) -> Result<Answer, Fault> {
    question.read_answer(body.to_string().as_bytes())
}

#[test]
fn a_whole_answer_is_read() {
    let body = json!({"revision": 3, "project": project(), "key": valid_key(), "ttl_ms": 30_000, "later": 1});
    let answer = read(&question(true), &body).unwrap();
    assert_eq!(answer.revision, 3);
    assert_eq!(answer.policy, Policy::Required(Id::parse("p1").unwrap()));
    assert_eq!(answer.verdict.unwrap().verdict, Verdict::Valid);
    let unknown = json!({"revision": 3, "project": null, "key": null, "ttl_ms": 0});
    assert_eq!(
        read(&question(true), &unknown).unwrap().policy,
        Policy::UnknownProject
    );
}

#[test]
fn anything_else_is_a_fault() {
    let answer = |project: Value, key: Value| json!({"revision": 3, "project": project, "key": key, "ttl_ms": 1});
    for (asks_key, body, why) in [
        (
            true,
            answer(project(), Value::Null),
            "a key was asked about and not answered",
        ),
        (
            false,
            answer(project(), valid_key()),
            "no key was asked about",
        ),
        (
            true,
            answer(Value::Null, valid_key()),
            "a key of no project",
        ),
        (
            true,
            answer(
                json!({"id": "p2", "require_mcp_api_key": false}),
                valid_key(),
            ),
            "another project",
        ),
        (
            true,
            answer(
                project(),
                json!({"verdict": "valid", "id": null, "expires_at": null}),
            ),
            "a valid key without id",
        ),
        (
            true,
            answer(
                project(),
                json!({"verdict": "fine", "id": "k1", "expires_at": null}),
            ),
            "an unknown verdict",
        ),
        (
            true,
            answer(
                project(),
                json!({"verdict": "valid", "id": "a\nb", "expires_at": null}),
            ),
            "an id with a line feed",
        ),
        (true, answer(json!({"id": "p1"}), valid_key()), "no policy"),
        (
            true,
            answer(
                json!({"id": "p1", "require_mcp_api_key": "true"}),
                valid_key(),
            ),
            "a policy of another type",
        ),
        (
            true,
            json!({"project": project(), "key": valid_key(), "ttl_ms": 1}),
            "no revision",
        ),
        (
            true,
            json!({"revision": -1, "project": null, "key": null, "ttl_ms": 1}),
            "a negative revision",
        ),
        (true, json!({"error": "nope"}), "an error envelope"),
        (true, json!([]), "an array"),
    ] {
        assert_eq!(
            read(&question(asks_key), &body),
            Err(Fault::Schema),
            "{why}: {body}"
        );
    }
    for body in [
        &b""[..],
        b"null",
        b"upstream request timeout",
        b"{",
        b"{}",
        b"\xff\xfe",
    ] {
        assert_eq!(
            question(true).read_answer(body),
            Err(Fault::Schema),
            "{body:?}"
        );
    }
}

#[test]
fn the_raw_key_is_not_in_the_question() {
    let json = String::from_utf8(question(true).to_json()).unwrap();
    assert_eq!(
        json,
        format!(
            "{{\"subject\":{{\"project_id\":\"p1\"}},\"key_sha256\":\"{}\"}}",
            "07".repeat(32)
        )
    );
}

proptest! {
    #[test]
    fn no_answer_makes_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(question(true).read_answer(&bytes), Err(Fault::Schema));
    }
}
