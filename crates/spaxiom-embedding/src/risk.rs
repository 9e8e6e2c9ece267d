//! Fall risk: at the first report of an unsteady walk, how likely is a fall within ten minutes?
//!
//! A head reads the memory of the entity at a decision point ([`spaxiom_token::EntityMemory`]) and gives a probability;
//! a threshold that was chosen on sites the head did not learn from makes alerts of it (seed, "Case study: hospital fall prevention").
//! With other types in its rule it is any risk of an entity that has moments of decision and outcomes.

mod classifier;
mod cross_fit;
mod decisions;
mod evaluate;
mod fit;
mod head;
mod options;
mod report;
mod report_page;
mod rule;
mod save;
mod stream;
mod threshold;

pub use self::classifier::{FallRiskClassifier, RiskScore};
pub use self::evaluate::{RiskEvaluateOptions, evaluate_risk};
pub use self::fit::{RiskJob, RiskSummary, fit_risk};
pub use self::head::HeadName;
pub use self::options::{AlertTarget, RiskOptions};
pub use self::report::{AtThreshold, RiskReport, RiskRow, SiteFigures};
pub use self::rule::RiskRule;
pub use self::stream::RiskStream;
