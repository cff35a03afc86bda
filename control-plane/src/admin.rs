//! The admin commands: they work on the database itself, also while a server runs on it.

use std::{
    io::{self, Write as _},
    path::Path,
};

use edge_api::id::Id;
use jiff::Timestamp;

use self::{
    command::{
        AdminCommand, KeyCommand, ListCommand, OrgCommand, OrgKeyCommand, ProjectCommand,
        ServerCommand,
    },
    output::Output,
};
use crate::{
    clock::{Clock as _, SystemClock},
    random::{self, IdError, NoRandomness},
    store::{BackupError, DatabaseUrl, Entity, OpenError, Store, StoreError, WhenMissing},
};

pub mod command;
mod key;
mod list;
mod organisation;
mod organisation_key;
mod output;
mod project;
mod server;

/// Why a command did nothing.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// No usable database.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is no backup.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// What the command refers to does not exist.
    #[error("no {entity} \"{id}\"; list them with `control-plane {}`", listing(*.entity))]
    NotFound {
        /// What is missing.
        entity: Entity,
        /// The id it was looked for by.
        id: Id,
    },
    /// The chosen id is taken.
    #[error("there is already a {entity} \"{id}\"; choose another --id, or leave it out")]
    AlreadyExists {
        /// What exists.
        entity: Entity,
        /// Its id.
        id: Id,
    },
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
    /// No random bytes.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// No id could be made.
    #[error(transparent)]
    Id(#[from] IdError),
    /// The result cannot be printed. What was done stays done.
    #[error("cannot print the result: {0}")]
    Output(#[from] io::Error),
}

impl From<StoreError> for AdminError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { entity, id } => Self::NotFound { entity, id },
            StoreError::AlreadyExists { entity, id } => Self::AlreadyExists { entity, id },
            other => Self::Store(other),
        }
    }
}

/// Runs one command and prints its result.
pub async fn run(database: &DatabaseUrl, command: AdminCommand) -> Result<(), AdminError> {
    // Only the first step of a new system makes a database; elsewhere a missing one is a typing error.
    let missing = match command {
        AdminCommand::Org(OrgCommand::Create(_)) => WhenMissing::Create,
        _ => WhenMissing::Refuse,
    };
    let store = Store::open(database, missing).await?;
    let output = dispatch(&store, command, SystemClock.now()).await;
    store.close().await;
    let mut stdout = io::stdout().lock();
    stdout.write_all(output?.as_bytes())?;
    Ok(stdout.flush()?)
}

/// Copies the database to a new file and says so.
pub async fn backup(database: &DatabaseUrl, to: &Path) -> Result<(), AdminError> {
    Store::backup(database, to).await?;
    Ok(writeln!(
        io::stdout(),
        "{database} copied to {}",
        to.display()
    )?)
}

/// Makes it known that the database was restored, and says so.
pub async fn restored(database: &DatabaseUrl) -> Result<(), AdminError> {
    let store = Store::open(database, WhenMissing::Refuse).await?;
    let renewed = store.renew_incarnation(&random::hex_id()?).await;
    store.close().await;
    renewed?;
    Ok(writeln!(
        io::stdout(),
        "{database} counts as restored: every Envoy asks about everything again"
    )?)
}

async fn dispatch(
    store: &Store,
    command: AdminCommand,
    now: Timestamp,
) -> Result<Output, AdminError> {
    match command {
        AdminCommand::Org(OrgCommand::Create(options)) => {
            organisation::create(store, options, now).await
        }
        AdminCommand::Org(OrgCommand::Key(OrgKeyCommand::Create(options))) => {
            organisation_key::create(store, options, now).await
        }
        AdminCommand::Org(OrgCommand::Key(OrgKeyCommand::List(options))) => {
            organisation_key::list(store, options).await
        }
        AdminCommand::Org(OrgCommand::Key(OrgKeyCommand::Revoke(options))) => {
            organisation_key::revoke(store, options, now).await
        }
        AdminCommand::Project(ProjectCommand::Create(options)) => {
            project::create(store, options, now).await
        }
        AdminCommand::Server(ServerCommand::Create(options)) => {
            server::create(store, options, now).await
        }
        AdminCommand::Server(ServerCommand::Remove(options)) => {
            server::remove(store, options, now).await
        }
        AdminCommand::Key(KeyCommand::Create(options)) => key::create(store, options, now).await,
        AdminCommand::Key(KeyCommand::Rotate(options)) => key::rotate(store, options, now).await,
        AdminCommand::Key(KeyCommand::Revoke(options)) => key::revoke(store, options, now).await,
        AdminCommand::Key(KeyCommand::Disable(options)) => key::disable(store, options, now).await,
        AdminCommand::Key(KeyCommand::Enable(options)) => key::enable(store, options, now).await,
        AdminCommand::List(ListCommand::Orgs(format)) => list::organisations(store, format).await,
        AdminCommand::List(ListCommand::Projects(format)) => list::projects(store, format).await,
        AdminCommand::List(ListCommand::Servers(format)) => list::servers(store, format).await,
        AdminCommand::List(ListCommand::Keys(format)) => list::keys(store, format, now).await,
    }
}

fn listing(entity: Entity) -> &'static str {
    match entity {
        Entity::Organisation => "list orgs",
        Entity::Project => "list projects",
        Entity::Server => "list servers",
        Entity::Key => "list keys",
        Entity::OrganisationKey => "org key list",
        Entity::Session => "serve",
    }
}
