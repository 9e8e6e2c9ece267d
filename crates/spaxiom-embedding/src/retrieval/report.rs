//! What an evaluation of a text encoder found.

use std::fmt::Write;
use std::path::Path;

use serde::Serialize;
use spaxiom_eval::Interval;

use crate::error::EmbeddingError;
use crate::evaluation::interval_text;
use crate::files;
use crate::words::FilterScores;

/// A way of ranking events for a text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TextRow {
    /// What ranks, and whether events have to pass the filter that the text was read as.
    pub name: String,
    /// Recall@10, capped: the share of what is asked for among the first ten, or of all that there is where that is less.
    pub recall_at_10: Interval,
    /// The same for texts that name a cause, which no filter can say.
    pub recall_of_causes: Interval,
    /// Mean of one over the place of the first event that is asked for.
    pub mrr: Interval,
}

/// Texts of one phrasing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TextSet {
    /// Whether training texts had these words and orders.
    pub name: String,
    /// Texts, and those of them that name a cause.
    pub n: [usize; 2],
    /// How well they are read as filters.
    pub filter: FilterScores,
    /// Ways of ranking.
    pub rows: Vec<TextRow>,
}

/// What an evaluation of a text encoder found, on sites and days that training never saw.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TextReport {
    /// The run's folder.
    pub run: String,
    /// The data.
    pub data: String,
    /// Events that are ranked, and their types; rare types are there as often as frequent ones.
    pub n_events: [usize; 2],
    /// Texts of training's words, and of others.
    pub sets: Vec<TextSet>,
    /// A sentence.
    pub verdict: String,
}

impl TextReport {
    /// For a terminal.
    #[must_use]
    pub fn to_table(&self) -> String {
        let Self { run, data, n_events: [n_events, n_types], sets, verdict } = self;
        let mut text = format!("{run} on {data}: {n_events} events of {n_types} types that training never saw\n");
        for TextSet { name, n: [n, n_causes], filter, rows } in sets {
            let _ = writeln!(
                text,
                "\n{n} texts, {name}; {n_causes} name a cause\n\
                filters: exact {:.3}, slot F1 {:.3}, wrong {:.3}\n  {:<44} {:<24} {:<24} MRR",
                filter.exact, filter.slot_f1, filter.wrong_filter, "ranked by", "Recall@10", "of texts with a cause"
            );
            for TextRow { name, recall_at_10, recall_of_causes, mrr } in rows {
                let [all, causes, mrr] = [recall_at_10, recall_of_causes, mrr].map(interval_text);
                let _ = writeln!(text, "  {name:<44} {all:<24} {causes:<24} {mrr}");
            }
        }
        let _ = writeln!(text, "\n{verdict}");
        text
    }

    /// Writes `report.json` into a folder.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn save(&self, folder: &Path) -> Result<(), EmbeddingError> {
        fs_err::create_dir_all(folder)?;
        files::save_json(&folder.join("report.json"), self)
    }
}
