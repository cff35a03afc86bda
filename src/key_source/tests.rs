//! What counts as one key, as no key, and as an attempt to show two readers two keys.

use proptest::prelude::*;

use super::*;

fn sources() -> KeySources {
    let json = br#"{"key_sources": [{"header": "x-api-key"}, {"header": "authorization", "scheme": "Bearer"}]}"#;
    let mut fields = Fields::parse(json).unwrap();
    KeySources::parse(fields.objects("key_sources").unwrap()).unwrap()
}

fn present(headers: &[(&str, &[u8])]) -> (Credential, Vec<String>) {
    let sources = sources();
    let mut collector = sources.collector();
    for (name, value) in headers {
        collector.handle_header(name.as_bytes(), value);
    }
    let (presented, carriers) = collector.finish();
    let carriers = sources.names(carriers).map(str::to_owned).collect();
    (presented.credential(), carriers)
}

fn key(letter: char) -> String {
    let body = format!("ak_{}", letter.to_string().repeat(32));
    let sum = edge_api::key_format::checksum(body.as_bytes());
    body + std::str::from_utf8(&sum).unwrap()
}

fn check(headers: &[(&str, &str)], expected: &str) {
    let bytes: Vec<(&str, &[u8])> = headers.iter().map(|(n, v)| (*n, v.as_bytes())).collect();
    let found = match present(&bytes).0 {
        Credential::Missing => "missing",
        Credential::Ambiguous => "ambiguous",
        Credential::Malformed => "malformed",
        Credential::OtherKind(_) => "other kind",
        Credential::Key(_) => "key",
    };
    assert_eq!(found, expected, "{headers:?}");
}

#[test]
fn a_key_is_found_where_the_configuration_says_and_nowhere_else() {
    let (a, b) = (key('a'), key('b'));
    let bearer = |key: &str| format!("Bearer {key}");
    check(&[], "missing");
    check(&[("x-api-key", &a)], "key");
    check(&[("x-api-key", &format!("  {a}\t"))], "key");
    check(&[("x-api-key", "")], "missing");
    check(&[("x-api-key", "   ")], "missing");
    check(&[("authorization", &bearer(&a))], "key");
    check(&[("authorization", &format!("bEaReR   {a}"))], "key");
    check(&[("authorization", &a)], "missing");
    check(&[("authorization", &format!("Bearer{a}"))], "missing");
    check(&[("authorization", "Bearer ")], "missing");
    check(&[("authorization", "Basic dTpw")], "missing");
    check(
        &[("x_api_key", &a), ("x-api-keys", &a), ("cookie", &a)],
        "missing",
    );
    check(&[("x-api-key", "ak_your_api_key")], "malformed");
    check(&[("x-api-key", &bearer(&a))], "malformed");
    check(&[("x-api-key", "uak_a1b2")], "other kind");
    check(&[("authorization", &bearer("ck_a1b2"))], "other kind");
    check(&[("x-api-key", "uak_a,ak_b")], "ambiguous");
    check(&[("x-api-key", &a), ("authorization", "Basic dTpw")], "key");
    check(&[("x-api-key", &a), ("authorization", &bearer(&a))], "key");
    check(
        &[("x-api-key", &a), ("authorization", &bearer(&b))],
        "ambiguous",
    );
}

#[test]
fn a_second_key_hidden_behind_the_first_is_ambiguous() {
    let (a, b) = (key('a'), key('b'));
    for second in [a.as_str(), b.as_str(), "", "x"] {
        check(&[("x-api-key", &a), ("x-api-key", second)], "ambiguous");
        check(&[("x-api-key", second), ("x-api-key", &a)], "ambiguous");
    }
    check(&[("x-api-key", &format!("{a},{b}"))], "ambiguous");
    check(&[("x-api-key", &format!("{a}, {a}"))], "ambiguous");
    check(
        &[("authorization", &format!("Bearer {a},Bearer {b}"))],
        "ambiguous",
    );
}

#[test]
fn every_header_that_carried_the_key_is_named_for_stripping() {
    let a = key('a');
    let bearer = format!("Bearer {a}");
    let (_, both) = present(&[
        ("x-api-key", a.as_bytes()),
        ("authorization", bearer.as_bytes()),
    ]);
    assert_eq!(both, ["x-api-key", "authorization"]);
    let (_, one) = present(&[
        ("x-api-key", a.as_bytes()),
        ("authorization", b"Basic dTpw"),
    ]);
    assert_eq!(one, ["x-api-key"], "another scheme is the upstream's own");
}

proptest! {
    #[test]
    fn no_header_value_makes_the_key_source_panic(
        name in "x-api-key|authorization",
        values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 0..3),
    ) {
        let headers: Vec<(&str, &[u8])> = values.iter().map(|v| (name.as_str(), v.as_slice())).collect();
        let (credential, _) = present(&headers);
        prop_assert!(credential.key().is_none(), "random bytes are no key");
    }
}
