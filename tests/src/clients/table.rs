//! The table that a run prints.

use super::case::{Case, Ending};
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
