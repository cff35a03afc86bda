//! `control-plane doctor`: why a request to an MCP server is let through or refused, step by step.
//!
//! It asks the gateway what any client could ask, and the control plane's public API or database what
//! they know; both are only read. The facts are gathered by `gateway`, `owner` and `operator`;
//! `diagnosis` judges them and does nothing else.

use std::io::{self, BufRead as _};

use self::{
    command::DoctorOptions,
    key::PresentedKey,
    known::{Known, Unknown},
    report::Report,
};
use crate::{
    client::{Client, InvalidAuthority},
    store::DatabaseUrl,
};

pub mod command;
mod diagnosis;
mod gateway;
mod key;
mod key_header;
mod known;
mod operator;
mod owner;
mod report;

/// Why there is no diagnosis at all.
#[derive(Debug, thiserror::Error)]
pub enum DoctorError {
    /// The key was to come from standard input, and did not.
    #[error("--key -: no key came on standard input: {0}; pipe one in, or set {env}", env = command::KEY_VARIABLE)]
    Stdin(#[source] io::Error),
    /// The file of authorities is of no use.
    #[error(transparent)]
    Authority(#[from] InvalidAuthority),
}

/// Examines a request and says what becomes of it. `database`: only if the caller named one.
pub async fn run(
    options: DoctorOptions,
    database: Option<&DatabaseUrl>,
) -> Result<Report, DoctorError> {
    let key = match options.key {
        Some(key) if key.is_stdin() => Some(PresentedKey::examine(&first_line_of_stdin()?)),
        Some(key) => Some(PresentedKey::examine(key.reveal())),
        None => None,
    };
    let client = Client::new(options.ca.as_deref())?;
    let header = options.header;
    let known = match (&options.control_plane, database) {
        (Some(url), _) => Known::asked(
            url.to_string(),
            owner::ask(&client, url, &options.gateway, key.as_ref()).await,
        ),
        (None, Some(url)) => Known::asked(
            url.to_string(),
            operator::ask(url, &options.gateway, key.as_ref()).await,
        ),
        (None, None) => Known::Nothing(Unknown::NotAsked),
    };
    let observed = gateway::observe(&client, &options.gateway, &header, key.as_ref()).await;
    Ok(Report::new(
        &options.gateway,
        key.as_ref(),
        &known,
        &observed,
    ))
}

fn first_line_of_stdin() -> Result<String, DoctorError> {
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    match read.map_err(DoctorError::Stdin)? {
        0 => Err(DoctorError::Stdin(io::ErrorKind::UnexpectedEof.into())),
        _ => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
    }
}
