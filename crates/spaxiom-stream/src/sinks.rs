//! Where alerts go: one file each, and one row in the tables of `address.rs` and `open.rs`.

mod address;
mod file;
mod mqtt;
mod nats;
mod open;
mod sink;
mod webhook;

pub use self::address::AlertAddress;
pub use self::sink::Sink;
