//! A measured figure, and the table of all.

use std::fmt::Write as _;

use serde::Serialize;

/// A figure of ours, and the peer's if there is one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BenchRow {
    /// The workload.
    pub workload: String,
    /// The unit of both figures.
    pub unit: &'static str,
    /// Median of ours.
    pub ours: f64,
    /// Median of the peer's.
    pub peer: Option<f64>,
    /// Our time over the peer's: below 1 is faster.
    pub ratio: Option<f64>,
    /// Runs of ours.
    pub runs: u32,
    /// Threads of both.
    pub threads: u32,
    /// Which peer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer_name: Option<String>,
}

/// The rows as a table of fixed width.
#[must_use]
pub fn table(rows: &[BenchRow]) -> String {
    let mut text = format!(
        "{:<44} {:>12} {:>12} {:>7}  {:<9} {:>4} {:>7}\n",
        "workload", "ours", "peer", "ratio", "unit", "runs", "threads"
    );
    for BenchRow { workload, unit, ours, peer, ratio, runs, threads, peer_name } in rows {
        let name = peer_name.as_ref().map_or_else(|| workload.clone(), |peer| format!("{workload} ({peer})"));
        let figure = |value: f64| if value < 1000.0 { format!("{value:.2}") } else { format!("{value:.0}") };
        let (ours, peer) = (figure(*ours), peer.map_or("-".into(), figure));
        let ratio = ratio.map_or("-".into(), |ratio| format!("{ratio:.2}"));
        let _ = writeln!(text, "{name:<44} {ours:>12} {peer:>12} {ratio:>7}  {unit:<9} {runs:>4} {threads:>7}");
    }
    text
}
