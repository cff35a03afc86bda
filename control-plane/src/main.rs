//! The `control-plane` program: reads the command line and runs one command.

use std::{io::Write as _, process::ExitCode};

use clap::Parser as _;
use control_plane::{
    admin,
    config::{Cli, Command},
    logging, public, serve,
};

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line, however deep the cause; a broken standard error leaves nobody to tell.
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Serve(options) => {
            logging::start(options.log_format, options.log.to_env_filter());
            serve::serve(&cli.database, *options).await?;
        }
        Command::Openapi => {
            let document = public::openapi::document().to_pretty_json()?;
            writeln!(std::io::stdout(), "{document}")?;
        }
        Command::Backup(options) => admin::backup(&cli.database, &options.to).await?,
        Command::Admin(command) => admin::run(&cli.database, command).await?,
    }
    Ok(())
}
