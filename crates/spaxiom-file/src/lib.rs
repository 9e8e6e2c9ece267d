//! Files that appear whole or not at all, and hexadecimal digits.
//!
//! Takes a path and bytes, gives a file that is complete under its name: a full disk or a kill leaves the old file as it was.
//! Knows none of the other crates.
//!
//! # Example
//!
//! ```
//! use std::io::Write;
//!
//! use spaxiom_file::{NewFile, replace_file};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("run/config.toml");
//! replace_file(&path, b"preset = \"tiny\"")?;
//!
//! let mut longer = NewFile::create(&path)?;
//! longer.write_all(b"preset = \"small\"")?;
//! assert_eq!(fs_err::read_to_string(&path)?, "preset = \"tiny\"");
//! longer.commit()?;
//! assert_eq!(fs_err::read_to_string(&path)?, "preset = \"small\"");
//! # Ok::<(), std::io::Error>(())
//! ```

mod hex;
mod new_file;

pub use crate::hex::hex;
pub use crate::new_file::{NewFile, replace_file};
