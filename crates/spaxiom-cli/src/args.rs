//! Words that several commands share.

mod backend;
mod data;
mod encoder;
mod read;
mod training;
mod vector;

pub(crate) use self::backend::BackendArgs;
pub(crate) use self::data::DataArgs;
pub(crate) use self::encoder::EncoderArgs;
pub(crate) use self::read::ReadArgs;
pub(crate) use self::training::{TrainArgs, report};
pub(crate) use self::vector::vector_parser;
