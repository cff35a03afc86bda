//! Which database this is: a random id that is made with the schema, and anew when the database was restored from a copy.

use edge_api::id::Id;

use super::{Store, StoreError};

impl Store {
    /// The database's own random id: another database has another one, and so has one that was restored, from a file of
    /// the `backup` command or [by the word of its operator](Self::renew_incarnation).
    #[must_use]
    pub fn incarnation(&self) -> Id {
        self.standing.borrow().incarnation.clone()
    }

    /// Makes the database another one to all that ask: what they read from it before says nothing about what they read
    /// from here on. For a database that was put back to what it was, other than by a file of the `backup` command, which
    /// has an id of its own. Takes effect on running servers at once, too.
    pub async fn renew_incarnation(&self, incarnation: &Id) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE incarnation SET value = $1 WHERE id = 1")
            .bind(incarnation.as_str())
            .execute(&mut *transaction)
            .await?;
        // Raises nothing; it tells the servers on PostgreSQL to look.
        sqlx::query("UPDATE revision SET value = value WHERE id = 1")
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        self.look().await
    }
}
