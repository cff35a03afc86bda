//! `make run`. See `stack::demo`.

#![allow(
    clippy::print_stdout,
    reason = "the demo talks to the person who started it"
)]

use std::process::ExitCode;

use stack::demo::{Demo, Preparation};
use tokio::signal::unix::{Signal, SignalKind, signal};

fn main() -> ExitCode {
    // What the rig panics with is written for people; where in the rig it happened is not.
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("{}", panic.payload_as_str().unwrap_or("failed"));
    }));
    // Until here nothing runs that a signal would leave behind, so the signals' defaults are right.
    let prepared = Preparation::make();
    let runtime = tokio::runtime::Runtime::new().map_err(anyhow::Error::from);
    let ran = prepared.and_then(|preparation| runtime?.block_on(run(preparation)));
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("make run: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(preparation: Preparation) -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    // First in turn: a signal to the whole process group can end Envoy as well, which is no accident then.
    let mut demo = tokio::select! {
        biased;
        () = either(&mut interrupt, &mut terminate) => return Ok(()),
        started = Demo::start(preparation) => started?,
    };
    println!("{}", demo.summary());
    let death = tokio::select! {
        biased;
        () = either(&mut interrupt, &mut terminate) => None,
        death = demo.death() => Some(death),
    };
    println!("Stopping everything; the data stays in .run/.");
    demo.stop().await;
    match death {
        None => Ok(()),
        Some(death) => Err(anyhow::anyhow!(death)),
    }
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
