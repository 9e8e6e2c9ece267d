//! Evaluation: the same queries for every representation, on sites and days that training never saw.

mod ablation;
mod bench;
mod boosting;
mod casas;
mod controls;
mod details;
mod evaluate;
mod features;
mod few_shot;
mod hand_made;
mod held_out;
mod latency;
mod options;
mod probe;
mod report;
mod report_page;
mod retrieval;
mod samples;
mod save;
mod shown;

pub use self::ablation::{AblationJob, AblationReport, AblationRow, ablate};
pub use self::controls::GivenAway;
pub use self::details::{Details, EventBefore, FewShot, LabelShare, MapPoint, ShownMoment, ShownQuery};
pub use self::evaluate::evaluate;
pub use self::options::EvaluateOptions;
pub use self::report::{Boosted, HeldOut, IndexFigures, Report, ReportRow};
pub(crate) use self::report::{difference_text, interval_text};
pub(crate) use self::report_page::manifest_section;
