//! Spatial hashing: a point to the grid cell that holds it (seed, "Spatial hashing").

use std::fmt;

use xxhash_rust::xxh64::xxh64;

/// A cell of a square grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpatialCell {
    /// Cells from the origin along x; negative to its left.
    pub ix: i64,
    /// Cells from the origin along y; negative below it.
    pub iy: i64,
}

impl fmt::Display for SpatialCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cell_{}_{}", self.ix, self.iy)
    }
}

impl SpatialCell {
    /// One of `n_buckets` buckets, the same in every version and on every machine (xxHash64 of both indices).
    #[must_use]
    pub fn bucket(self, n_buckets: u32) -> u32 {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.ix.to_le_bytes());
        bytes[8..].copy_from_slice(&self.iy.to_le_bytes());
        u32::try_from(xxh64(&bytes, 0) % u64::from(n_buckets)).expect("a remainder of a u32 fits")
    }
}

/// The cell of side `resolution_m` metres that holds the point `(x, y)`, in metres.
///
/// ```
/// use spaxiom_token::spatial_hash;
///
/// assert_eq!(spatial_hash(12.5, 8.3, 1.0).to_string(), "cell_12_8");
/// assert_eq!(spatial_hash(12.5, 8.3, 4.0).to_string(), "cell_3_2");
/// assert_eq!(spatial_hash(-0.1, 8.3, 1.0).to_string(), "cell_-1_8");
/// ```
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and no building is 2^63 cells wide")]
pub fn spatial_hash(x: f64, y: f64, resolution_m: f64) -> SpatialCell {
    SpatialCell { ix: (x / resolution_m).floor() as i64, iy: (y / resolution_m).floor() as i64 }
}
