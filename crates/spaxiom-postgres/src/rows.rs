//! Rows of the table of records.

use half::f16;
use pgvector::HalfVector;
use spaxiom_index::{IndexError, Record};
use tokio_postgres::Row;

/// The columns of a record, in the order in which [`record`] reads them.
pub(crate) const COLUMNS: &str = "site, id, kind, zone, time_ns, metadata, vector";

pub(crate) fn record(row: &Row) -> Record {
    let vector: HalfVector = row.get(6);
    Record {
        site: row.get(0),
        id: row.get(1),
        kind: row.get(2),
        zone: row.get(3),
        time_ns: row.get(4),
        metadata: row.get(5),
        vector: vector.as_slice().iter().map(|value| value.to_f32()).collect(),
    }
}

/// In half precision, as a store in a folder rounds: what is too small for full digits is 0, also where it would be rounded up.
pub(crate) fn half(vector: &[f32]) -> HalfVector {
    let least = f16::MIN_POSITIVE.to_f32();
    let rounded = |value: &f32| if value.abs() < least { f16::ZERO } else { f16::from_f32(*value) };
    HalfVector::from(vector.iter().map(rounded).collect::<Vec<f16>>())
}

/// Fails unless records can be compared; gives them with vectors of length 1.
pub(crate) fn checked(mut records: Vec<Record>, dim: usize) -> Result<Vec<Record>, IndexError> {
    for record in &mut records {
        if record.vector.len() != dim {
            return Err(IndexError::Dimension { want: dim, got: record.vector.len() });
        }
        if record.vector.iter().any(|value| !value.is_finite()) {
            return Err(IndexError::NotFinite { id: record.id.clone() });
        }
        spaxiom_index::normalize(&mut record.vector, dim);
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::half;

    #[test]
    fn what_would_be_rounded_up_to_a_normal_number_is_zero() {
        let least = f16::MIN_POSITIVE.to_f32();
        let below = f32::from_bits(least.to_bits() - 1);
        let rounded: Vec<f32> =
            half(&[least, below, -below, 0.5]).as_slice().iter().map(|half| half.to_f32()).collect();
        assert_eq!(rounded, [least, 0.0, 0.0, 0.5]);
    }
}
