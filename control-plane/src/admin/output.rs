//! What a command prints: one JSON document, or text for people.

use clap::Args;
use serde::Serialize;

/// How to print a result.
#[derive(Debug, Clone, Copy, Args)]
pub struct Format {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The text to print, with its final line break.
pub(super) type Output = String;

impl Format {
    /// One thing: a JSON object, or a line per pair.
    pub(super) fn one(self, value: &impl Serialize, pairs: &[(&str, &str)]) -> Output {
        if self.json {
            return json(value);
        }
        let width = pairs
            .iter()
            .map(|(name, _)| name.len())
            .max()
            .unwrap_or_default();
        let lines = pairs
            .iter()
            .map(|(name, value)| format!("{name:width$}  {value}\n"));
        lines.collect()
    }

    /// Several things: a JSON array, or a table.
    pub(super) fn many<const N: usize>(
        self,
        values: &[impl Serialize],
        head: [&str; N],
        rows: &[[String; N]],
    ) -> Output {
        if self.json {
            return json(&values);
        }
        let mut widths = head.map(|cell| cell.chars().count());
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let line = |cells: [&str; N]| {
            let padded = cells
                .iter()
                .zip(widths)
                .map(|(cell, width)| format!("{cell:width$}"));
            let line = padded.collect::<Vec<_>>().join("  ");
            format!("{}\n", line.trim_end())
        };
        let mut text = line(head);
        for row in rows {
            text.push_str(&line(row.each_ref().map(String::as_str)));
        }
        text
    }
}

fn json(value: &impl Serialize) -> Output {
    // Serialising plain data with text keys cannot fail.
    let mut text = serde_json::to_string(value).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let text = Format { json: false }.many(
            &[1, 2],
            ["ID", "NAME"],
            &[["a".into(), "é".into()], ["long".into(), "b".into()]],
        );
        assert_eq!(text, "ID    NAME\na     é\nlong  b\n");
    }

    #[test]
    fn json_is_one_line() {
        assert_eq!(Format { json: true }.one(&[1], &[]), "[1]\n");
    }
}
