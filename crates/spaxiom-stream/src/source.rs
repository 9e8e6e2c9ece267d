//! Where events come from: a pipe, a file, or a broker. One file each, and one row in the tables of `address.rs` and `open.rs`.

mod address;
mod broker;
mod lines;
mod messages;
mod mqtt;
mod nats;
mod open;
mod opened;
mod topic;

pub use self::address::SourceAddress;
pub(crate) use self::address::{NATS_PORT, hidden};
pub(crate) use self::broker::Broker;
pub(crate) use self::opened::Opened;
pub use self::topic::TopicPattern;
