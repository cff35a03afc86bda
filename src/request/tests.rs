//! Headers as the host hands them over, whatever a client put into them.

use proptest::prelude::*;

use super::*;

/// The host's form of `headers`.
fn block(headers: &[(&[u8], &[u8])]) -> HeaderBlock {
    let number = |n: usize| u32::try_from(n).unwrap().to_le_bytes();
    let mut bytes = number(headers.len()).to_vec();
    for (name, value) in headers {
        bytes.extend(number(name.len()));
        bytes.extend(number(value.len()));
    }
    for text in headers.iter().flat_map(|(name, value)| [name, value]) {
        bytes.extend_from_slice(text);
        bytes.push(0);
    }
    HeaderBlock::new(bytes)
}

#[test]
fn headers_show_no_key_when_printed() {
    let block = block(&[(b"x-api-key", b"ak_secret")]);
    assert_eq!(format!("{block:?}"), "HeaderBlock(redacted)");
}

#[test]
fn every_header_is_read_as_it_came() {
    let headers: [(&[u8], &[u8]); 4] = [
        (b":path", b"/a\xff"),
        (b"x-api-key", b""),
        (b"x-api-key", b"twice"),
        (b"", b"\0"),
    ];
    let block = block(&headers);
    assert_eq!(block.iter().collect::<Vec<_>>(), headers);
    assert_eq!(HeaderBlock::new(Vec::new()).iter().count(), 0);
}

proptest! {
    #[test]
    fn headers_survive_the_hosts_form(headers in proptest::collection::vec(
        (proptest::collection::vec(any::<u8>(), 0..20), proptest::collection::vec(any::<u8>(), 0..40)), 0..12))
    {
        let borrowed: Vec<(&[u8], &[u8])> = headers.iter().map(|(n, v)| (&n[..], &v[..])).collect();
        let block = block(&borrowed);
        prop_assert_eq!(block.iter().collect::<Vec<_>>(), borrowed);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = HeaderBlock::new(bytes).iter().count();
    }
}
