//! Reading columns into checked types.
//!
//! Both databases have columns of text, 64-bit numbers and bytes. Yes and no are the numbers 1 and 0,
//! because SQLite has no others: bind them with `i64::from`.

use edge_api::id::Id;
use jiff::Timestamp;
use sqlx::{Row as _, any::AnyRow};

use super::StoreError;
use crate::model::name::Name;

/// An identifier.
pub(super) fn id(row: &AnyRow, column: &'static str) -> Result<Id, StoreError> {
    parse(row.try_get::<&str, _>(column)?, column)
}

/// An identifier, or `None` for NULL.
pub(super) fn optional_id(row: &AnyRow, column: &'static str) -> Result<Option<Id>, StoreError> {
    row.try_get::<Option<&str>, _>(column)?
        .map(|text| parse(text, column))
        .transpose()
}

/// A text that `T` can be read from.
pub(super) fn text<T>(row: &AnyRow, column: &'static str) -> Result<T, StoreError>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    row.try_get::<&str, _>(column)?
        .parse()
        .map_err(|error: T::Err| corrupt(column, &error))
}

/// A text that `T` can be read from, or `None` for NULL.
pub(super) fn optional_text<T>(row: &AnyRow, column: &'static str) -> Result<Option<T>, StoreError>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    row.try_get::<Option<&str>, _>(column)?
        .map(|text| {
            text.parse()
                .map_err(|error: T::Err| corrupt(column, &error))
        })
        .transpose()
}

/// The name of a thing.
pub(super) fn name(row: &AnyRow, column: &'static str) -> Result<Name, StoreError> {
    Ok(Name::stored(row.try_get::<&str, _>(column)?))
}

/// A time.
pub(super) fn time(row: &AnyRow, column: &'static str) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(row.try_get(column)?).map_err(|error| corrupt(column, &error))
}

/// A time, or `None` for NULL.
pub(super) fn optional_time(
    row: &AnyRow,
    column: &'static str,
) -> Result<Option<Timestamp>, StoreError> {
    row.try_get::<Option<i64>, _>(column)?
        .map(|ms| Timestamp::from_millisecond(ms).map_err(|error| corrupt(column, &error)))
        .transpose()
}

/// Yes or no, stored as 1 or 0.
pub(super) fn flag(row: &AnyRow, column: &'static str) -> Result<bool, StoreError> {
    Ok(row.try_get::<i64, _>(column)? != 0)
}

/// Yes or no, or `None` for NULL.
pub(super) fn optional_flag(
    row: &AnyRow,
    column: &'static str,
) -> Result<Option<bool>, StoreError> {
    Ok(row
        .try_get::<Option<i64>, _>(column)?
        .map(|value| value != 0))
}

/// A number that is never negative.
pub(super) fn unsigned(row: &AnyRow, column: &'static str) -> Result<u64, StoreError> {
    u64::try_from(row.try_get::<i64, _>(column)?).map_err(|error| corrupt(column, &error))
}

/// An error that names the column.
pub(super) fn corrupt(column: &'static str, reason: &dyn std::fmt::Display) -> StoreError {
    StoreError::Corrupt {
        column,
        reason: reason.to_string(),
    }
}

fn parse(text: &str, column: &'static str) -> Result<Id, StoreError> {
    Id::parse(text).map_err(|error| corrupt(column, &error))
}
