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

/// In half precision, as a store in a folder rounds: what is too small for full digits is 0.
pub(crate) fn half(vector: &[f32]) -> HalfVector {
    let rounded = |value: &f32| {
        let half = f16::from_f32(*value);
        if half.is_normal() { half } else { f16::ZERO }
    };
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
