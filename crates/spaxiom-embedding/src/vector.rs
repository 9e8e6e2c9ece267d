//! The vector of a moment: what an encoder makes of the last events, beside what a memory holds of everything before.

mod array;
mod blocks;
mod export;
mod fit;
mod live;
mod name;
mod options;
mod vectors;

pub(crate) use self::array::Array;
pub(crate) use self::blocks::Blocks;
pub use self::export::VectorFile;
pub(crate) use self::fit::fit_blocks;
pub use self::live::LiveVectors;
pub use self::name::VectorName;
pub use self::options::VectorOptions;
pub use self::vectors::{VectorReader, VectorStream, Vectors};
