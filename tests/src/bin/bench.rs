//! The program behind `make bench`.

use clap::Parser;
use stack::bench::{self, Options};

fn main() {
    bench::run(Options::parse());
}
