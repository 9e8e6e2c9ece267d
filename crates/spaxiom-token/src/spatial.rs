//! Spatial hashing: a point to the grid cell that holds it (seed, "Spatial hashing").

use std::fmt;

use serde::{Deserialize, Serialize};
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
        remainder(xxh64(&bytes, 0), n_buckets)
    }

    /// The same of a cell of one floor or site, which is kept apart from that of another.
    pub(crate) fn bucket_of(self, frame: Frame, n_buckets: u32) -> u32 {
        if frame == Frame::default() {
            return self.bucket(n_buckets);
        }
        let mut bytes = [0; 32];
        for (part, value) in bytes.chunks_exact_mut(8).zip([
            self.ix.to_le_bytes(),
            self.iy.to_le_bytes(),
            frame.floor.to_le_bytes(),
            frame.site.to_le_bytes(),
        ]) {
            part.copy_from_slice(&value);
        }
        remainder(xxh64(&bytes, 0), n_buckets)
    }
}

fn remainder(hash: u64, n_buckets: u32) -> u32 {
    u32::try_from(hash % u64::from(n_buckets)).expect("a remainder of a u32 fits")
}

/// The cell of side `resolution_m` meters that holds the point `(x, y)`, in meters.
///
/// ```
/// use spaxiom_token::spatial_hash;
///
/// assert_eq!(spatial_hash(12.5, 8.3, 1.0).to_string(), "cell_12_8");
/// assert_eq!(spatial_hash(12.5, 8.3, 4.0).to_string(), "cell_3_2");
/// assert_eq!(spatial_hash(-0.1, 8.3, 1.0).to_string(), "cell_-1_8");
/// ```
///
/// At several scales together, as in the seed:
///
/// ```
/// let cells = [0.5, 1.0, 2.0, 4.0].map(|res| spaxiom_token::spatial_hash(12.5, 8.3, res).to_string());
/// assert_eq!(cells, ["cell_25_16", "cell_12_8", "cell_6_4", "cell_3_2"]);
/// ```
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and no building is 2^63 cells wide")]
pub fn spatial_hash(x: f64, y: f64, resolution_m: f64) -> SpatialCell {
    SpatialCell { ix: (x / resolution_m).floor() as i64, iy: (y / resolution_m).floor() as i64 }
}

/// How positions become cells, and cells buckets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellOptions {
    /// Side of a cell in meters.
    pub resolution_m: f64,
    /// Size of the hash table.
    pub n_buckets: u32,
    /// Whether cells of two sites are two.
    #[serde(default, skip_serializing_if = "Pool::is_pooled")]
    pub sites: Pool,
    /// Whether cells of two floors are two, where the site map knows the floors.
    #[serde(default, skip_serializing_if = "Pool::is_pooled")]
    pub floors: Pool,
}

/// Whether the same place of two sites, or of two floors, is one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pool {
    /// One cell: what is learned at one site holds at another of the same layout.
    #[default]
    Pooled,
    /// Two cells.
    Apart,
}

impl Pool {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_pooled(&self) -> bool {
        *self == Self::Pooled
    }
}

/// Site and floor of a position as hashes; 0 for what is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) floor: u64,
    pub(crate) site: u64,
}

impl Frame {
    pub(crate) fn new(site: &str, floor: Option<&str>) -> Self {
        Self { floor: floor.map_or(0, hash), site: hash(site) }
    }
}

fn hash(name: &str) -> u64 {
    xxh64(name.as_bytes(), 0)
}

impl CellOptions {
    /// The bucket of a position.
    pub(crate) fn bucket(&self, x: f64, y: f64, frame: Frame) -> u32 {
        spatial_hash(x, y, self.resolution_m).bucket_of(self.kept_apart(frame), self.n_buckets)
    }

    /// What of the frame counts.
    pub(crate) fn kept_apart(&self, frame: Frame) -> Frame {
        let kept = |pool: Pool, hash: u64| if pool == Pool::Apart { hash } else { 0 };
        Frame { floor: kept(self.floors, frame.floor), site: kept(self.sites, frame.site) }
    }
}
