//! Words that several commands share.

mod backend;
mod data;
mod read;
mod training;

pub(crate) use self::backend::BackendArgs;
pub(crate) use self::data::DataArgs;
pub(crate) use self::read::ReadArgs;
pub(crate) use self::training::{TrainArgs, report};
