//! Tests of `spaxiom-eval` through its border.

mod figures;
mod logistic;
mod split;
