//! Tests of `spaxiom-sim` through its border.

mod queue;
mod warehouse;
