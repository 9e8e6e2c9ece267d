//! Words that several commands share.

mod alerts;
mod backend;
mod data;
mod encoder;
mod read;
mod store;
mod training;
mod unechoed;
mod vector;

pub(crate) use self::alerts::{AlertArgs, open_sinks};
pub(crate) use self::backend::BackendArgs;
pub(crate) use self::data::DataArgs;
pub(crate) use self::encoder::EncoderArgs;
pub(crate) use self::read::ReadArgs;
pub(crate) use self::store::{StoreArgs, StorePlace};
pub(crate) use self::training::{TrainArgs, report};
pub(crate) use self::unechoed::Unechoed;
pub(crate) use self::vector::vector_parser;
