//! What clients show their users, in the documentation: written there on request, and held to otherwise, so that it cannot say
//! anything that was not seen.

use std::fs;

use anyhow::{Context, Result};

use super::case::{Case, Ending};
use super::program::Transport;
use super::run::Row;
use crate::repo;

const BEGIN: &str = "<!-- What clients show: written by `make test-clients CLIENTS=--write`. -->\n";
const END: &str = "<!-- End of what clients show. -->\n";
/// How much of a sentence README quotes; the guide has all of it.
const QUOTED: usize = 260;

/// Compares or writes. Returns what differs, one line for each file.
pub(super) fn hold(rows: &[Row], write: bool) -> Result<Vec<String>> {
    let mut differences = Vec::new();
    for (file, wanted) in [("README.md", short(rows)), ("docs/clients.md", whole(rows))] {
        let path = repo::path(file);
        let text = fs::read_to_string(&path).context(file)?;
        let (before, rest) = text.split_once(BEGIN).context(file)?;
        let (found, after) = rest.split_once(END).context(file)?;
        if write {
            fs::write(&path, [before, BEGIN, &wanted, END, after].concat()).context(file)?;
        } else if found != wanted {
            let lines = wanted
                .lines()
                .zip(found.lines().chain(std::iter::repeat("")));
            let first = lines.into_iter().find(|(seen, said)| seen != said);
            let (seen, said) = first.unwrap_or(("less than that", "more"));
            differences.push(format!(
                "{file} says\n    {said}\n  but this was seen:\n    {seen}"
            ));
        }
    }
    Ok(differences)
}

/// README's table: one line for each client, as most people run it.
fn short(rows: &[Row]) -> String {
    let mut text = "\n| client | without a key, its user reads |\n| --- | --- |\n".to_owned();
    for row in rows.iter().filter(|row| row.transport != Transport::Sse) {
        let dead_end = row.endings.get(&Case::DeadEnd);
        let (case, where_) = match dead_end {
            Some(_) => (Case::DeadEnd, ", with `oauth_dead_end`"),
            None => (Case::NoKey, ""),
        };
        if let Some(Ending::Refused(shown)) = row.endings.get(&case) {
            let (client, shown) = (name(row), code(&cut(shown)));
            text.push_str(&format!("| {client}{where_} | {shown} |\n"));
        }
    }
    text + "\n"
}

/// The guide's tables: every case, every client, every transport, every word.
fn whole(rows: &[Row]) -> String {
    let mut text = String::new();
    for case in Case::REFUSALS {
        text.push_str(&format!(
            "\n### {}\n\n| client | its user reads |\n| --- | --- |\n",
            case.title()
        ));
        for row in rows {
            if let Some(Ending::Refused(shown)) = row.endings.get(&case) {
                text.push_str(&format!("| {} | {} |\n", name(row), code(shown)));
            }
        }
    }
    text + "\n"
}

fn name(row: &Row) -> String {
    let transport = match row.transport {
        Transport::Http => "",
        Transport::Sse => ", HTTP+SSE",
        Transport::OAuth => ", ready to log in",
    };
    format!("{}{transport}", row.client)
}

/// Words in their own type, whatever is in them.
fn code(words: &str) -> String {
    let fence = if words.contains('`') { "``" } else { "`" };
    format!("{fence}{}{fence}", words.replace('|', "\\|"))
}

fn cut(shown: &str) -> String {
    let mut words: String = shown.chars().take(QUOTED).collect();
    if words.len() < shown.len() {
        words.push('…');
    }
    words
}
