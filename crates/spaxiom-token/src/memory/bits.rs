//! 32-bit floats in files by their bits, so that they come back as they were.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(super) fn serialize<S: Serializer>(values: &[f32], serializer: S) -> Result<S::Ok, S::Error> {
    values.iter().map(|value| value.to_bits()).collect::<Vec<u32>>().serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f32>, D::Error> {
    Ok(Vec::<u32>::deserialize(deserializer)?.into_iter().map(f32::from_bits).collect())
}
