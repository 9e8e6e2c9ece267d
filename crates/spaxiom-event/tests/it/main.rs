//! Tests of `spaxiom-event` through its border.

mod casas;
mod jsonl;
mod labels;
mod log;
