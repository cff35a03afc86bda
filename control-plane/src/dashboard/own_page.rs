//! Telling the dashboard's own page from another site's that makes a browser send the cookie along.
//!
//! Two proofs beside the cookie's `SameSite=Strict`. The page sets [`HEADER`], which a page of another
//! origin cannot without a preflight, and none is ever granted here. And where the browser says what kind
//! of site asks (`sec-fetch-site`, which no script can set), it must be this one.

use axum::http::HeaderMap;

use crate::error::ApiError;

/// The header that the dashboard's page sets, with the value 1.
pub(crate) const HEADER: &str = "x-dashboard";

/// Whether the request says that it is the page's.
pub(crate) fn claims(headers: &HeaderMap) -> bool {
    headers.get(HEADER).is_some_and(|value| value == "1")
}

/// Fails unless the request is the page's.
pub(crate) fn require(headers: &HeaderMap) -> Result<(), ApiError> {
    let same_origin = headers
        .get_all("sec-fetch-site")
        .iter()
        .all(|site| site == "same-origin");
    if claims(headers) && same_origin {
        Ok(())
    } else {
        Err(ApiError::ForeignPage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_page_is_believed() {
        let check = |headers: &[(&'static str, &'static str)], expected: bool| {
            let headers = headers
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect();
            assert_eq!(require(&headers).is_ok(), expected, "{headers:?}");
        };
        check(&[("x-dashboard", "1")], true);
        check(
            &[("x-dashboard", "1"), ("sec-fetch-site", "same-origin")],
            true,
        );
        check(
            &[("x-dashboard", "1"), ("sec-fetch-site", "same-site")],
            false,
        );
        check(
            &[("x-dashboard", "1"), ("sec-fetch-site", "cross-site")],
            false,
        );
        check(&[("x-dashboard", "1"), ("sec-fetch-site", "none")], false);
        check(&[("x-dashboard", "0")], false);
        check(&[("sec-fetch-site", "same-origin")], false);
        check(&[], false);
    }
}
