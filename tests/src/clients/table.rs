//! The tables that a run prints.

use super::case::{Case, Ending};
use super::program::Transport;
use super::run::Row;

/// Who got in where.
pub(super) fn of(rows: &[Row]) -> String {
    let columns = [Case::Direct, Case::Key, Case::NoKey, Case::Locked];
    let mut lines = vec![
        ["client", "transport"]
            .into_iter()
            .chain(columns.map(Case::name))
            .map(str::to_owned)
            .collect::<Vec<_>>(),
    ];
    for row in rows {
        let cell = |case| row.endings.get(&case).map_or("–".to_owned(), Ending::cell);
        let mut line = vec![row.client.clone(), row.transport.name().to_owned()];
        line.extend(columns.map(cell));
        lines.push(line);
    }
    aligned(&lines)
}

/// What each client's user reads, by case.
pub(super) fn of_sentences(rows: &[Row]) -> String {
    let mut text = String::new();
    for case in Case::REFUSALS {
        text.push_str(&format!("\n{}\n", case.name()));
        for row in rows {
            if let Some(Ending::Refused(shown)) = row.endings.get(&case) {
                let (client, transport) = (&row.client, short(row.transport));
                text.push_str(&format!("  {client}{transport}: {shown}\n"));
            }
        }
    }
    text
}

fn short(transport: Transport) -> &'static str {
    match transport {
        Transport::Http => "",
        Transport::Sse => ", HTTP+SSE",
        Transport::OAuth => ", ready to log in",
    }
}

fn aligned(lines: &[Vec<String>]) -> String {
    let count = lines.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let widths = lines.iter().map(|line| line[column].chars().count());
        widths.max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..count).map(width).collect();
    let line = |cells: &Vec<String>| {
        let cells = cells.iter().zip(&widths);
        let cells: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n") + "\n"
}
