//! Counts of requests as filters report them, by hour; and who reports.

use edge_api::{
    id::Id,
    usage::{Outcome, UsageBatch, UsageRow},
};
use jiff::{SignedDuration, Timestamp};
use sqlx::{Any, Row as _, Transaction, any::AnyRow};

use super::{Store, StoreError, column};
use crate::model::usage::{Enforcer, RefusedKey, UsageCount};

/// How old a count may be that comes in, such as after an outage; what was counted longer ago, or in the future, is put
/// down to now, because the filter's clock must be wrong.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long a sender that falls silent is remembered: until then a repeated batch of it is known as one.
const SENDER_RETENTION: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long it is remembered since when a sender enforces a revision.
const IN_FORCE_RETENTION: SignedDuration = SignedDuration::from_hours(1);

const HOUR_MS: i64 = 3_600_000;

/// The most counts that are told at once: about five megabytes as JSON.
const MAX_COUNTS: i64 = 25_000;

/// What of a project's counts is told apart; the rest is summed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Apart {
    /// Each hour apart.
    pub hours: bool,
    /// Each key apart.
    pub keys: bool,
}

/// Reads counts with these expressions for hour and key, summed up over all that differs in nothing else.
macro_rules! usage_statement {
    ($hour:literal, $key:literal, $by:literal) => {
        concat!(
            "SELECT ",
            $hour,
            " AS hour, ",
            $key,
            " AS key_id, outcome, preview,
                    CAST(sum(count) AS BIGINT) AS count,
                    min(first_at) AS first_at, max(last_at) AS last_at
             FROM usage_hours WHERE project_id = $1 AND hour >= $2 AND hour <= $3
             GROUP BY ",
            $by,
            "outcome, preview
             ORDER BY ",
            $by,
            "outcome, preview
             LIMIT $4"
        )
    };
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageCounted {
    /// The number of the sender's last batch that is counted.
    pub sequence: u64,
    /// Whether this one was counted before.
    pub batch: Counted,
}

/// Whether a batch was counted before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// It was not, and is counted by this call.
    New,
    /// It was, and nothing is counted by this call.
    Repeated,
}

impl Store {
    /// Counts a batch, unless it was counted before.
    pub async fn count_usage(
        &self,
        batch: &UsageBatch,
        now: Timestamp,
    ) -> Result<UsageCounted, StoreError> {
        let mut transaction = self.begin().await?;
        let known = sqlx::query("SELECT sequence, in_force FROM usage_senders WHERE instance = $1")
            .bind(batch.instance.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
        let taken = known
            .as_ref()
            .map(|row| column::unsigned(row, "sequence"))
            .transpose()?;
        let in_force_before = known
            .as_ref()
            .map(|row| row.try_get::<Option<i64>, _>("in_force"))
            .transpose()?
            .flatten();
        let is_new = taken.is_none_or(|taken| batch.sequence > taken);
        if is_new {
            for row in &batch.rows {
                count(&mut transaction, row, now).await?;
            }
        }
        let sequence = taken.map_or(batch.sequence, |taken| taken.max(batch.sequence));
        // What an older batch, come late, says is in force may be no more.
        let in_force = if batch.sequence < sequence {
            in_force_before
        } else {
            batch.in_force.map(signed)
        };
        sqlx::query(
            "INSERT INTO usage_senders (instance, envoy, sequence, in_force, seen_at)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (instance) DO UPDATE
             SET envoy = excluded.envoy, sequence = excluded.sequence,
                 in_force = excluded.in_force, seen_at = excluded.seen_at",
        )
        .bind(batch.instance.as_str())
        .bind(batch.envoy.as_str())
        .bind(signed(sequence))
        .bind(in_force)
        .bind(now.as_millisecond())
        .execute(&mut *transaction)
        .await?;
        if let Some(revision) = in_force
            && in_force_before != in_force
        {
            sqlx::query(
                "INSERT INTO usage_in_force (instance, revision, since) VALUES ($1, $2, $3)
                 ON CONFLICT (instance, revision) DO NOTHING",
            )
            .bind(batch.instance.as_str())
            .bind(revision)
            .bind(now.as_millisecond())
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(UsageCounted {
            sequence,
            batch: if is_new {
                Counted::New
            } else {
                Counted::Repeated
            },
        })
    }

    /// Forgets counts of hours before `retention`, and senders that fell silent.
    pub async fn prune_usage(
        &self,
        retention: SignedDuration,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for (statement, age) in [
            ("DELETE FROM usage_hours WHERE hour < $1", retention),
            (
                "DELETE FROM usage_senders WHERE seen_at < $1",
                SENDER_RETENTION,
            ),
            // Until what came next is as old, it tells since when a sender has been beyond it.
            (
                "DELETE FROM usage_in_force
                 WHERE instance NOT IN (SELECT instance FROM usage_senders)
                 OR EXISTS (SELECT 1 FROM usage_in_force later
                            WHERE later.instance = usage_in_force.instance
                            AND later.revision > usage_in_force.revision AND later.since < $1)",
                IN_FORCE_RETENTION,
            ),
        ] {
            sqlx::query(statement)
                .bind(before(now, age))
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The counts of a project from the hour of `from` up to the hour of `to`, oldest first; `None` when they are more
    /// than `MAX_COUNTS`.
    pub async fn usage(
        &self,
        project: &Id,
        from: Timestamp,
        to: Timestamp,
        apart: Apart,
    ) -> Result<Option<Vec<UsageCount>>, StoreError> {
        let statement = match (apart.hours, apart.keys) {
            (true, true) => usage_statement!("hour", "key_id", "hour, key_id, "),
            (true, false) => usage_statement!("hour", "''", "hour, "),
            (false, true) => usage_statement!("CAST(NULL AS BIGINT)", "key_id", "key_id, "),
            (false, false) => usage_statement!("CAST(NULL AS BIGINT)", "''", ""),
        };
        let rows = sqlx::query(statement)
            .bind(project.as_str())
            .bind(hour_of(from.as_millisecond()))
            .bind(hour_of(to.as_millisecond()))
            .bind(MAX_COUNTS + 1)
            .fetch_all(&self.reads)
            .await?;
        if i64::try_from(rows.len()).is_ok_and(|len| len > MAX_COUNTS) {
            return Ok(None);
        }
        rows.iter().map(read).collect::<Result<_, _>>().map(Some)
    }

    /// The project's own keys that would have been refused since `from`, while it required none: at most `limit`, those
    /// with the most requests.
    pub async fn keys_to_be_refused(
        &self,
        project: &Id,
        from: Timestamp,
        limit: u8,
    ) -> Result<Vec<RefusedKey>, StoreError> {
        sqlx::query(
            "SELECT u.key_id AS key_id, k.name AS name, u.preview AS preview,
                    CAST(sum(u.count) AS BIGINT) AS count
             FROM usage_hours u JOIN api_keys k ON k.id = u.key_id AND k.project_id = u.project_id
             WHERE u.project_id = $1 AND u.hour >= $2 AND u.outcome = $3 AND u.preview NOT IN ('', $4)
             GROUP BY u.key_id, k.name, u.preview
             ORDER BY count DESC, u.key_id, u.preview
             LIMIT $5",
        )
        .bind(project.as_str())
        .bind(hour_of(from.as_millisecond()))
        .bind(Outcome::AllowedNotRequired.name())
        .bind(Outcome::Allowed.name())
        .bind(i64::from(limit))
        .fetch_all(&self.reads)
        .await?
        .iter()
        .map(|row| {
            Ok(RefusedKey {
                id: column::id(row, "key_id")?,
                name: column::name(row, "name")?,
                reason: outcome(row, "preview")?
                    .ok_or_else(|| column::corrupt("preview", &"it is empty"))?,
                count: column::unsigned(row, "count")?,
            })
        })
        .collect()
    }

    /// The revision of the last change to a project; `None` when that is longer ago than the change log reaches.
    pub async fn last_change(&self, project: &Id) -> Result<Option<u64>, StoreError> {
        let row =
            sqlx::query("SELECT max(revision) AS revision FROM changes WHERE project_id = $1")
                .bind(project.as_str())
                .fetch_one(&self.reads)
                .await?;
        match row.try_get::<Option<i64>, _>("revision")? {
            Some(_) => column::unsigned(&row, "revision").map(Some),
            None => Ok(None),
        }
    }

    /// Who has reported since `seen_since`, and since when each of them enforces `revision`, unless that is long ago.
    pub async fn enforcers(
        &self,
        revision: u64,
        seen_since: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<Enforcer>, StoreError> {
        let remembered_from = before(now, IN_FORCE_RETENTION);
        sqlx::query(
            "SELECT s.instance AS instance, s.envoy AS envoy, s.in_force AS in_force,
                    s.seen_at AS seen_at,
                    (SELECT min(f.since) FROM usage_in_force f
                     WHERE f.instance = s.instance AND f.revision >= $1) AS since
             FROM usage_senders s WHERE s.seen_at >= $2
             ORDER BY s.envoy, s.instance",
        )
        .bind(signed(revision))
        .bind(seen_since.as_millisecond())
        .fetch_all(&self.reads)
        .await?
        .iter()
        .map(|row| {
            let since = column::optional_time(row, "since")?;
            Ok(Enforcer {
                instance: column::id(row, "instance")?,
                envoy: column::id(row, "envoy")?,
                in_force: match row.try_get::<Option<i64>, _>("in_force")? {
                    Some(_) => Some(column::unsigned(row, "in_force")?),
                    None => None,
                },
                since: since.filter(|since| since.as_millisecond() >= remembered_from),
                seen_at: column::time(row, "seen_at")?,
            })
        })
        .collect()
    }
}

async fn count(
    transaction: &mut Transaction<'_, Any>,
    row: &UsageRow,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (first_at, last_at) = (plausible(row.first_at, now), plausible(row.last_at, now));
    sqlx::query(
        "INSERT INTO usage_hours (project_id, hour, key_id, outcome, preview, count, first_at, last_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (project_id, hour, key_id, outcome, preview) DO UPDATE
         SET count = usage_hours.count + excluded.count,
             first_at = CASE WHEN excluded.first_at < usage_hours.first_at
                             THEN excluded.first_at ELSE usage_hours.first_at END,
             last_at = CASE WHEN excluded.last_at > usage_hours.last_at
                            THEN excluded.last_at ELSE usage_hours.last_at END",
    )
    .bind(row.project_id.as_ref().map_or("", Id::as_str))
    .bind(hour_of(last_at))
    .bind(row.key_id.as_ref().map_or("", Id::as_str))
    .bind(row.outcome.name())
    .bind(row.preview.map_or("", Outcome::name))
    .bind(signed(row.count))
    .bind(first_at.min(last_at))
    .bind(last_at)
    .execute(&mut **transaction)
    .await?;
    let let_through = match (row.outcome, row.preview) {
        (Outcome::Allowed, _) => true,
        // A revoked key, say, that a project let pass because it requires none.
        (Outcome::AllowedNotRequired, preview) => preview.is_none_or(|p| p == Outcome::Allowed),
        _ => false,
    };
    if let Some(key_id) = row.key_id.as_ref().filter(|_| let_through) {
        sqlx::query(
            "UPDATE api_keys SET last_used_at = $2
             WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)",
        )
        .bind(key_id.as_str())
        .bind(last_at)
        .execute(&mut **transaction)
        .await?;
    }
    Ok(())
}

fn read(row: &AnyRow) -> Result<UsageCount, StoreError> {
    Ok(UsageCount {
        hour: column::optional_time(row, "hour")?,
        key_id: match row.try_get::<&str, _>("key_id")? {
            "" => None,
            _ => Some(column::id(row, "key_id")?),
        },
        outcome: outcome(row, "outcome")?
            .ok_or_else(|| column::corrupt("outcome", &"it is empty"))?,
        preview: outcome(row, "preview")?,
        count: column::unsigned(row, "count")?,
        first_at: column::time(row, "first_at")?,
        last_at: column::time(row, "last_at")?,
    })
}

fn outcome(row: &AnyRow, column: &'static str) -> Result<Option<Outcome>, StoreError> {
    match row.try_get::<&str, _>(column)? {
        "" => Ok(None),
        text => text
            .parse()
            .map(Some)
            .map_err(|error| column::corrupt(column, &error)),
    }
}

/// When something happened, in milliseconds, unless that cannot be.
fn plausible(at_ms: u64, now: Timestamp) -> i64 {
    let at_ms = signed(at_ms);
    let oldest = before(now, CLOCK_TOLERANCE);
    if (oldest..=now.as_millisecond()).contains(&at_ms) {
        at_ms
    } else {
        now.as_millisecond()
    }
}

fn before(now: Timestamp, age: SignedDuration) -> i64 {
    let age_ms = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    now.as_millisecond().saturating_sub(age_ms)
}

fn hour_of(ms: i64) -> i64 {
    ms - ms.rem_euclid(HOUR_MS)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
