//! The desk: every question, one file each, and the types of questions and answers.

mod alerts;
mod answers;
mod asked;
mod context;
mod count;
mod describe;
mod embed;
mod explain;
mod labels;
mod layout;
mod plan;
mod search;
mod state;

pub use self::answers::{
    AlertRow, Alerts, Context, Counted, Counts, EventRow, Explained, FloorPlan, Found, Hit, LabelRow, Labels,
    MapOfMoments, PairRow, PlanZone, Provenance, StoreDescription, Usual,
};
pub use self::asked::{
    AckAsked, AlertsAsked, ContextAsked, CountAsked, EmbeddingsAsked, ExplainAsked, LabelAsked, LayoutAsked, PlanAsked,
    SearchAsked, SimilarAsked, Verdict,
};
pub use self::state::Desk;
