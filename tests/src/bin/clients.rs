//! `make test-clients`. See `stack::clients`.

#![allow(
    clippy::print_stdout,
    reason = "the table is for the person who started it"
)]

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    match stack::clients::run(stack::clients::Options::parse()).await {
        Ok(problems) if problems.is_empty() => {
            println!("Everything is as it must be.");
            ExitCode::SUCCESS
        }
        Ok(problems) => {
            eprintln!("{} problems:", problems.len());
            for problem in problems {
                eprintln!("- {problem}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("make test-clients: {error:#}");
            ExitCode::FAILURE
        }
    }
}
