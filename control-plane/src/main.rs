//! The `control-plane` program: reads the command line and runs one command.

use std::{io::Write as _, process::ExitCode};

use clap::Parser as _;
use control_plane::{
    admin,
    config::{Cli, Command},
    doctor, logging, public, ready, serve,
};

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            // One line, however deep the cause; a broken standard error leaves nobody to tell.
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let database = || cli.database.clone().unwrap_or_default();
    match cli.command {
        Command::Serve(options) => {
            logging::start(options.log_format, options.log.to_env_filter());
            serve::serve(&database(), *options).await?;
        }
        Command::Openapi => {
            let document = public::openapi::document().to_pretty_json()?;
            writeln!(std::io::stdout(), "{document}")?;
        }
        Command::Backup(options) => admin::backup(&database(), &options.to).await?,
        Command::Restored => admin::restored(&database()).await?,
        Command::Ready(options) => ready::ask(&options).await?,
        Command::Doctor(options) => {
            let json = options.json;
            let report = match doctor::run(*options, cli.database.as_ref()).await {
                Ok(report) => report,
                // 1 would be a verdict.
                Err(error) => {
                    writeln!(std::io::stderr(), "error: {error}")?;
                    return Ok(ExitCode::from(2));
                }
            };
            let text = if json {
                report.to_json()
            } else {
                report.to_text()
            };
            std::io::stdout().write_all(text.as_bytes())?;
            return Ok(ExitCode::from(report.exit_code()));
        }
        Command::Admin(command) => admin::run(&database(), command).await?,
    }
    Ok(ExitCode::SUCCESS)
}
