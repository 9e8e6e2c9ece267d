//! The store: what was acknowledged is there, what is damaged is built again, filters are exact.

use std::path::Path;

use spaxiom_index::{Filter, HnswOptions, IndexError, IndexKind, Record, Store, StoreHeader};
use tempfile::TempDir;

use crate::clustered;

const DIM: usize = 16;
const HNSW: IndexKind = IndexKind::Hnsw(HnswOptions { m: 32, ef_construction: 80, ef_search: 64, n_threads: 1 });

fn header() -> StoreHeader {
    StoreHeader { dim: DIM, tokenizer: "t1".into(), encoder: "e1".into() }
}

fn records(seed: u64, n: usize) -> Vec<Record> {
    let vectors = clustered(seed, n, DIM);
    let record = |(i, vector): (i64, &[f32])| Record {
        id: format!("event-{seed}-{i}"),
        site: format!("site-{}", i % 3),
        kind: if i % 10 == 0 { "QueueFormed" } else { "DoorOpened" }.into(),
        zone: Some(format!("dock_{}", i % 7)),
        time_ns: 1_000 * i,
        metadata: "{}".into(),
        vector: vector.to_vec(),
    };
    (0..).zip(vectors.chunks_exact(DIM)).map(record).collect()
}

fn filled(path: &Path, kind: IndexKind) -> Store {
    let mut store = Store::open_or_create(path, &header(), kind).unwrap();
    store.add(records(1, 500)).unwrap();
    store.build().unwrap();
    store
}

fn found(store: &Store, query: &[f32], k: usize, filter: &Filter) -> Vec<String> {
    store.search(query, k, filter).unwrap().into_iter().map(|hit| hit.record.id).collect()
}

#[test]
fn exact_and_hnsw_stores_find_the_same() {
    let (a, b) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (exact, hnsw) = (filled(a.path(), IndexKind::Exact), filled(b.path(), HNSW));
    for query in clustered(5, 20, DIM).chunks_exact(DIM) {
        assert_eq!(found(&exact, query, 10, &Filter::default()), found(&hnsw, query, 10, &Filter::default()));
    }
}

#[test]
fn a_filter_gives_all_that_pass_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let store = filled(folder.path(), HNSW);
    let all = records(1, 500);
    let query = &clustered(6, 1, DIM)[..];
    let check = |filter: Filter, passes: fn(&Record) -> bool| {
        let mut want: Vec<String> =
            all.iter().filter(|record| passes(record)).map(|record| record.id.clone()).collect();
        let mut got = found(&store, query, 1_000, &filter);
        want.sort();
        got.sort();
        assert_eq!(got, want, "{filter:?}");
    };
    check(Filter { kind: Some("QueueFormed".into()), ..Filter::default() }, |r| r.kind == "QueueFormed");
    check(Filter { zone: Some("dock_3".into()), ..Filter::default() }, |r| r.zone.as_deref() == Some("dock_3"));
    check(Filter { from_ns: Some(100_000), to_ns: Some(200_000), ..Filter::default() }, |r| {
        (100_000..200_000).contains(&r.time_ns)
    });
    let both = Filter { site: Some("site-1".into()), kind: Some("QueueFormed".into()), ..Filter::default() };
    check(both, |r| r.site == "site-1" && r.kind == "QueueFormed");
    check(Filter { kind: Some("Nothing".into()), ..Filter::default() }, |_| false);
}

#[test]
fn a_filter_with_a_value_that_is_nowhere_is_named_with_those_that_are() {
    let folder = TempDir::new().unwrap();
    let store = filled(folder.path(), HNSW);
    let filter = Filter { kind: Some("DoorOpened".into()), zone: Some("roof".into()), ..Filter::default() };
    let error = store.require_known(&filter).unwrap_err().to_string();
    let want =
        "no event in the store has the zone `roof`; there are dock_0, dock_1, dock_2, dock_3, dock_4, dock_5, dock_6";
    assert_eq!(error, want);
    assert!(store.require_known(&Filter { zone: Some("dock_0".into()), ..filter }).is_ok());
}

/// The graph alone reached 219 of 300 vectors when this was written.
#[test]
fn k_results_come_back_whenever_k_exist() {
    let (a, b) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (exact, hnsw) = (filled(a.path(), IndexKind::Exact), filled(b.path(), HNSW));
    let query = &clustered(8, 1, DIM)[..];
    for k in [1, 100, 400, 500, 1_000] {
        let hits = found(&hnsw, query, k, &Filter::default());
        assert_eq!(hits.len(), k.min(500));
        if k >= 400 {
            assert_eq!(hits, found(&exact, query, k, &Filter::default()));
        }
    }
}

#[test]
fn new_records_are_found_before_the_index_is_built_again() {
    let folder = TempDir::new().unwrap();
    let mut store = filled(folder.path(), HNSW);
    let new = records(2, 30);
    assert_eq!(store.add(new.clone()).unwrap(), 30);
    assert_eq!(found(&store, &new[7].vector, 1, &Filter::default()), ["event-2-7"]);
    let stats = store.stats().unwrap();
    assert_eq!((stats.n_vectors, stats.n_indexed), (530, 500));
    // The same after the program was started again.
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(found(&store, &new[7].vector, 1, &Filter::default()), ["event-2-7"]);
}

#[test]
fn a_record_that_is_there_already_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let mut store = filled(folder.path(), HNSW);
    assert_eq!(store.add(records(1, 500)).unwrap(), 0);
    assert_eq!(store.missing("site-0", &["event-1-0", "event-1-1"]).unwrap(), [false, true]);
    assert_eq!(store.stats().unwrap().n_vectors, 500);
}

#[test]
fn a_missing_cut_or_changed_index_file_is_built_again() {
    let folder = TempDir::new().unwrap();
    let query = &clustered(7, 1, DIM)[..];
    let want = found(&filled(folder.path(), HNSW), query, 10, &Filter::default());
    let file = folder.path().join("index.faiss");
    let whole = fs_err::read(&file).unwrap();
    let damages: [(&str, Option<Vec<u8>>); 4] = [
        ("missing", None),
        ("empty", Some(Vec::new())),
        ("cut", Some(whole[..whole.len() / 2].to_vec())),
        ("changed", Some(whole.iter().enumerate().map(|(i, b)| if i == 999 { b ^ 1 } else { *b }).collect())),
    ];
    for (what, bytes) in damages {
        match bytes {
            Some(bytes) => fs_err::write(&file, bytes).unwrap(),
            None => fs_err::remove_file(&file).unwrap(),
        }
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(found(&store, query, 10, &Filter::default()), want, "{what}");
        assert_eq!(fs_err::read(&file).unwrap(), whole, "{what}: the same graph again");
        assert!(store.verify().unwrap().index_is_sound);
    }
    fs_err::write(folder.path().join("index.json"), "{}").unwrap();
    assert_eq!(found(&Store::open(folder.path()).unwrap(), query, 10, &Filter::default()), want);
}

#[test]
fn verify_sees_a_damaged_index_file() {
    let folder = TempDir::new().unwrap();
    let store = filled(folder.path(), HNSW);
    fs_err::write(folder.path().join("index.faiss"), "nonsense").unwrap();
    let report = store.verify().unwrap();
    assert_eq!((report.database.as_str(), report.index_is_sound), ("ok", false));
}

#[test]
fn the_store_of_another_run_is_refused() {
    let folder = TempDir::new().unwrap();
    drop(filled(folder.path(), HNSW));
    let open = |header: StoreHeader| Store::open_or_create(folder.path(), &header, HNSW).unwrap_err();
    let error = open(StoreHeader { dim: 8, ..header() });
    assert!(error.to_string().contains("built with the width 16, this run has 8"), "{error}");
    let error = open(StoreHeader { tokenizer: "t2".into(), ..header() });
    assert!(matches!(error, IndexError::OtherRun { what: "tokenizer", .. }), "{error}");
    let error = open(StoreHeader { encoder: "e2".into(), ..header() });
    assert!(error.to_string().contains("built with the encoder e1, this run has e2"), "{error}");
}

#[test]
fn a_folder_without_a_store_is_said_to_be_none() {
    let folder = TempDir::new().unwrap();
    assert!(matches!(Store::open(folder.path()), Err(IndexError::NoStore { .. })));
}

#[test]
fn the_kind_of_index_can_be_changed_later() {
    let folder = TempDir::new().unwrap();
    drop(filled(folder.path(), IndexKind::Exact));
    let store = Store::open_or_create(folder.path(), &header(), HNSW).unwrap();
    assert_eq!(store.stats().unwrap().index, HNSW);
    assert!(folder.path().join("index.faiss").exists());
}

#[test]
fn a_database_that_a_kill_left_empty_becomes_a_store() {
    let folder = TempDir::new().unwrap();
    fs_err::write(folder.path().join("store.sqlite"), "").unwrap();
    assert!(matches!(Store::open(folder.path()), Err(IndexError::NoStore { .. })));
    let mut store = Store::open_or_create(folder.path(), &header(), HNSW).unwrap();
    assert_eq!(store.add(records(1, 10)).unwrap(), 10);
}

#[test]
fn the_index_file_of_another_store_is_no_index_of_this_one() {
    let (a, b) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    drop(filled(a.path(), HNSW));
    let mut other = Store::open_or_create(b.path(), &header(), HNSW).unwrap();
    other.add(records(2, 500)).unwrap();
    other.build().unwrap();
    for name in ["index.faiss", "index.json"] {
        fs_err::copy(a.path().join(name), b.path().join(name)).unwrap();
    }
    assert!(!other.verify().unwrap().index_is_sound);
    let query = &records(2, 1)[0].vector;
    assert_eq!(found(&Store::open(b.path()).unwrap(), query, 1, &Filter::default()), ["event-2-0"]);
}

#[test]
fn inspecting_changes_nothing_and_finds_all() {
    let folder = TempDir::new().unwrap();
    let query = &clustered(7, 1, DIM)[..];
    let want = found(&filled(folder.path(), HNSW), query, 10, &Filter::default());
    let file = folder.path().join("index.faiss");
    fs_err::write(&file, "nonsense").unwrap();
    let store = Store::inspect(folder.path()).unwrap();
    assert_eq!(found(&store, query, 10, &Filter::default()), want);
    let report = store.verify().unwrap();
    assert_eq!((report.index_is_sound, report.n_bad_vectors), (false, 0));
    assert_eq!(fs_err::read(&file).unwrap(), b"nonsense");
}
