//! Prints what can be seen of the causes of falls, by difficulty: the table of `docs/simulation.md`.
//!
//! `cargo run --package spaxiom-sim --example evidence`; minutes.
#![allow(dead_code, clippy::unwrap_used, clippy::print_stdout, reason = "an example prints, and may panic")]

#[path = "../tests/it/evidence.rs"]
mod evidence;

use spaxiom_eval::{auroc, average_precision, precision_at_recall};
use spaxiom_sim::Difficulty;

use crate::evidence::{Seen, hour_features, readings, scored, simulated, single_readings};

fn main() {
    for difficulty in [Difficulty::Easy, Difficulty::Medium, Difficulty::Hard] {
        let all = simulated(difficulty, 1, 160);
        let cause = |seen: &Seen| f64::from(u8::from(seen.decision.cause.is_some()));
        let oracle: Vec<(f64, bool)> = all.seen.iter().map(|seen| (cause(seen), seen.is_yes())).collect();
        let rows = [
            ("oracle", oracle),
            ("together", scored(&all, readings)),
            ("one by one", scored(&all, single_readings)),
            ("main effects", scored(&all, |seen| seen.main_effects.clone())),
            ("counts", scored(&all, |seen| seen.counts.clone())),
            ("hour", scored(&all, |seen| hour_features(&seen.decision).to_vec())),
        ];
        for (name, scores) in rows {
            let (precision, area) = (precision_at_recall(&scores, 0.74), auroc(&scores));
            println!("{difficulty:?} {name}: {precision:.2}, {area:.2}, {:.2}", average_precision(&scores));
        }
        let share = all.seen.iter().filter(|seen| seen.is_yes()).count() as f64 / all.seen.len() as f64;
        println!("{difficulty:?}: {} decisions, {share:.3} of them with an outcome", all.seen.len());
    }
}
