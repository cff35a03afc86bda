//! Lists that are read page by page.
//!
//! A cursor is a place in the order of a list, nothing more: whatever a caller makes of it, it sees
//! only what it may see.

use axum::{
    Json,
    http::header,
    response::{IntoResponse as _, Response},
};
use edge_api::id::Id;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{error::ApiError, store::Place};

/// How many items a page has at most: 1 to 100, 50 unless told otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
pub(super) struct Limit(u32);

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// The items.
    items: Vec<T>,
    /// Where the next page begins: send it as `cursor`. `null`: this is the last page.
    #[schema(value_type = Option<String>)]
    next_cursor: Option<String>,
}

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl TryFrom<u32> for Limit {
    type Error = &'static str;

    fn try_from(limit: u32) -> Result<Self, &'static str> {
        if (1..=100).contains(&limit) {
            Ok(Self(limit))
        } else {
            Err("limit is a number from 1 to 100")
        }
    }
}

impl Limit {
    /// How many items to read: one more than a page has, to see whether there are more.
    pub(super) fn to_read(self) -> u32 {
        self.0.saturating_add(1)
    }

    /// The page of what was read; `cursor` says where the page after an item begins.
    pub(super) fn page<T>(self, mut read: Vec<T>, cursor: impl Fn(&T) -> String) -> Page<T> {
        let size = usize::try_from(self.0).unwrap_or(usize::MAX);
        let more = read.len() > size;
        read.truncate(size);
        Page {
            next_cursor: read.last().filter(|_| more).map(cursor),
            items: read,
        }
    }
}

impl<T> Page<T> {
    /// The same page of something made of the items.
    pub(super) fn map<U>(self, to: impl Fn(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(to).collect(),
            next_cursor: self.next_cursor,
        }
    }
}

/// Where the page after an item begins, in a list that is ordered by creation.
pub(super) fn cursor(created_at: Timestamp, id: &Id) -> String {
    format!("{}.{id}", created_at.as_millisecond())
}

/// Reads what [`cursor`] wrote.
pub(super) fn place(cursor: &str) -> Result<Place, ApiError> {
    let place = cursor.split_once('.').and_then(|(at, id)| {
        Some(Place {
            at: at.parse().ok()?,
            id: Id::parse(id).ok()?,
        })
    });
    place.ok_or_else(|| {
        ApiError::InvalidQuery("cursor is no next_cursor of an earlier page".to_owned())
    })
}

impl<T: Serialize> Page<T> {
    /// The answer.
    pub(super) fn answer(self) -> Response {
        ([(header::CACHE_CONTROL, "no-store")], Json(self)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_knows_whether_it_is_the_last() {
        let limit = Limit::try_from(2).unwrap();
        assert_eq!(limit.to_read(), 3);
        for (read, items, next) in [
            (vec![], vec![], None),
            (vec![1, 2], vec![1, 2], None),
            (vec![1, 2, 3], vec![1, 2], Some("2")),
        ] {
            let page = limit.page(read, i32::to_string);
            assert_eq!((page.items, page.next_cursor.as_deref()), (items, next));
        }
        for bad in [0, 101, u32::MAX] {
            assert!(Limit::try_from(bad).is_err(), "{bad}");
        }
    }
}
