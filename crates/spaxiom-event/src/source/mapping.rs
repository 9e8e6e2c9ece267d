//! Column maps: which column of a table, or which path of a JSON object, is which member of an event.

mod cell;
mod delimiter;
mod events;
mod fill;
mod map;
mod moment;
mod named;
mod pairs;
mod resolve;

pub(crate) use self::cell::{Cell, Row};
pub(crate) use self::delimiter::Delimiter;
pub(crate) use self::fill::Here;
pub use self::map::ColumnMap;
pub(crate) use self::map::{Column, Kind, Layout};
pub(crate) use self::moment::TimeFormat;
pub(crate) use self::pairs::Pairs;
pub(crate) use self::resolve::{Mapping, Names, is_code};
