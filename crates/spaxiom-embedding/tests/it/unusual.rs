//! Moments unlike those of other days, in a store that was made by hand.

use std::sync::Arc;

use spaxiom_embedding::{Exact, Filter, Store, StoreHeader, StoreRecord, StoreSearch};
use tempfile::TempDir;

const HOUR_NS: i64 = 3_600 * 1_000_000_000;
/// A midnight.
const START_NS: i64 = 1_736_121_600_000_000_000;

fn record(site: &str, day: i64, hour: i64, vector: [f32; 2]) -> StoreRecord {
    StoreRecord {
        id: format!("{site}-{day}-{hour}"),
        site: site.into(),
        kind: "DoorOpened".into(),
        zone: None,
        time_ns: START_NS + (24 * day + hour) * HOUR_NS,
        metadata: "{}".into(),
        vector: vector.to_vec(),
    }
}

fn store(records: Vec<StoreRecord>) -> (TempDir, Store) {
    let folder = TempDir::new().unwrap();
    let header = StoreHeader { dim: 2, tokenizer: "t".into(), encoder: "e".into() };
    let store = Store::open_or_create(&folder.path().join("store"), &header, Arc::new(Exact)).unwrap();
    store.add(records).unwrap();
    (folder, store)
}

/// Days are one way and nights another: a night that is like a day is unusual, and a day that is like days is not.
#[test]
fn a_night_that_is_like_a_day_is_unusual() {
    let mut records = Vec::new();
    for day in 0..10 {
        for hour in 0..24 {
            let is_day = (8..20).contains(&hour) || (day, hour) == (6, 3);
            records.push(record("s0", day, hour, if is_day { [1.0, 0.0] } else { [0.0, 1.0] }));
        }
        // Two days are too few to say what is usual.
        if day < 2 {
            records.push(record("s1", day, 3, if day == 0 { [1.0, 0.0] } else { [0.0, 1.0] }));
        }
    }
    let (_folder, store) = store(records);
    let mut n_seen = 0;
    let found = StoreSearch::new(&store).unusual(300, &Filter::All, 1_000, &mut |n_done, _| n_seen = n_done).unwrap();
    assert_eq!((n_seen, found.len()), (242, 240));
    assert_eq!(found[0].hit.id, "s0-6-3");
    assert!((found[0].unusual - 1.0).abs() < 1e-3 && found[0].nearest.similarity < 1e-3, "{:?}", found[0]);
    // The hours beside the border between day and night have both on other days.
    assert!(found[1].unusual < 1e-3, "{:?}", found[1]);
    let two = StoreSearch::new(&store).unusual(2, &Filter::site("s0"), 1_000, &mut |_, _| ()).unwrap();
    assert_eq!(two, found[..2]);
}
