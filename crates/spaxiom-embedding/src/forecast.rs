//! What comes next at a site: the likeliest next events, and how many of each in the next minutes.
//!
//! Takes vectors of the site's own past, gives counts and probabilities, each judged on the last fifth of that past beside
//! what a person would say without them: the usual of the hour, as many as just now, and n-grams.

mod counts;
mod history;
mod judge;
mod next;
mod options;
mod parts;
mod predict;
mod report;

pub use options::ForecastOptions;
pub use predict::{ForecastInput, forecast};
pub use report::{Backtest, CountErrors, ExpectedCount, Forecast, LastEvent, NextEventChance, NextScores};
