//! The dashboard's files, as they stand in the folder `dashboard` beside the sources. A release holds
//! them; a debug build reads them from there, so that an edit shows without a build.

use std::{borrow::Cow, fmt::Write as _};

use axum::{
    extract::Path,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::error::ApiError;

#[derive(RustEmbed)]
#[folder = "dashboard/"]
struct Files;

/// Any page: one file, whose script looks at the address.
pub(super) async fn page(headers: HeaderMap) -> Result<Response, ApiError> {
    answer("index.html", &headers)
}

/// A file that a page needs.
pub(super) async fn file(
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    answer(&file, &headers)
}

fn answer(file: &str, headers: &HeaderMap) -> Result<Response, ApiError> {
    let EmbeddedFile { data, metadata } = Files::get(file).ok_or(ApiError::NotFound)?;
    let etag = etag(&metadata.sha256_hash());
    let known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == etag.as_bytes());
    // The next release's pages must not run this one's scripts: ask each time, it costs a 304.
    let version = [
        (header::CACHE_CONTROL, "no-cache".to_owned()),
        (header::ETAG, etag),
    ];
    if known {
        return Ok((StatusCode::NOT_MODIFIED, version).into_response());
    }
    let kind = match metadata.mimetype() {
        text if text.starts_with("text/") => format!("{text}; charset=utf-8"),
        other => other.to_owned(),
    };
    let data = match data {
        Cow::Borrowed(bytes) => axum::body::Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    Ok((version, [(header::CONTENT_TYPE, kind)], data).into_response())
}

fn etag(sha256: &[u8]) -> String {
    let mut etag = String::from("\"");
    for byte in sha256 {
        // Writing to a text cannot fail.
        let _ = write!(etag, "{byte:02x}");
    }
    etag.push('"');
    etag
}
