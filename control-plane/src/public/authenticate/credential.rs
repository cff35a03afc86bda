//! What a request presents to be let in: a key in a header, or the cookie of a dashboard session.
//!
//! **The cookie counts only for the dashboard's own page**: a browser sends it along with whatever another
//! page makes it ask for, so the page must also have set a header that no other site's page can.

use axum::http::{HeaderMap, HeaderValue, Uri};
use edge_api::key_format::{self, Kind};

use crate::{
    dashboard::{cookie, own_page},
    error::ApiError,
    key::PlainKey,
    session_token::SessionToken,
};

use super::{HEADER, ORGANISATION_HEADER};

/// Something with the shape of its kind. Whether it is any good is another question.
pub(super) enum Credential {
    Project(PlainKey),
    Organisation(PlainKey),
    Session(SessionToken),
}

impl Credential {
    /// The one that the request presents. A key counts before a session: who sends one means it.
    pub(super) fn presented(headers: &HeaderMap, uri: &Uri) -> Result<Self, ApiError> {
        let organisation = single(headers, ORGANISATION_HEADER)?;
        match (single(headers, HEADER)?, organisation) {
            (None, None) if own_page::claims(headers) => {
                own_page::require(headers)?;
                cookie::token(headers, uri)
                    .map(Self::Session)
                    .ok_or(ApiError::NoSession)
            }
            (None, None) => Err(ApiError::NoApiKey),
            (Some(_), Some(_)) => Err(ApiError::AmbiguousApiKey),
            (Some(value), None) => parse(value, HEADER, Kind::Project).map(Self::Project),
            (None, Some(value)) => {
                parse(value, ORGANISATION_HEADER, Kind::Organisation).map(Self::Organisation)
            }
        }
    }
}

/// The one value of a header, if there is any.
pub(super) fn single<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
) -> Result<Option<&'a HeaderValue>, ApiError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(ApiError::AmbiguousApiKey),
        (value, None) => Ok(value),
    }
}

/// A key of that kind. One that calls itself of another kind is told where that belongs.
fn parse(value: &HeaderValue, header: &'static str, kind: Kind) -> Result<PlainKey, ApiError> {
    match key_format::Kind::of(value.as_bytes()) {
        Some(found) if found != kind => Err(ApiError::WrongKeyKind { header, found }),
        _ => PlainKey::parse_as(kind, value.as_bytes()).ok_or(ApiError::InvalidApiKey),
    }
}
