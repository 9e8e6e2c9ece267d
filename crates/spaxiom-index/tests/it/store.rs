//! The store: what was acknowledged is there, what is damaged is rebuilt, filters are exact, any kind drives it.

use std::path::Path;
use std::sync::Arc;

use spaxiom_index::{
    Exact, Filter, FilteredIndex, Hnsw, HnswOptions, IdSet, IndexError, IndexFile, IndexKind, IndexState, KindRecord,
    KindSettings, Neighbor, Presence, Progress, Record, Store, StoreHeader, VectorId, VectorIndex, VectorSource,
};
use tempfile::TempDir;

use crate::clustered;

const DIM: usize = 16;

fn hnsw() -> Arc<dyn IndexKind> {
    let options = HnswOptions { ef_search: 64, ..HnswOptions::default() };
    Arc::new(Hnsw::new(options).unwrap())
}

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

fn filled(path: &Path, kind: Arc<dyn IndexKind>) -> Store {
    let store = Store::open_or_create(path, &header(), kind).unwrap();
    store.add(records(1, 500)).unwrap();
    store.build(&()).unwrap();
    store
}

fn found(store: &Store, query: &[f32], k: usize, filter: &Filter) -> Vec<String> {
    store.search(query, k, filter).unwrap().into_iter().map(|hit| hit.record.id).collect()
}

#[test]
fn exact_and_hnsw_stores_find_the_same() {
    let (a, b) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (exact, hnsw) = (filled(a.path(), Arc::new(Exact)), filled(b.path(), hnsw()));
    for query in clustered(5, 20, DIM).chunks_exact(DIM) {
        assert_eq!(found(&exact, query, 10, &Filter::All), found(&hnsw, query, 10, &Filter::All));
    }
}

#[test]
fn a_filter_gives_all_that_pass_and_nothing_else() {
    for kind in [hnsw(), Arc::new(Exact)] {
        let folder = TempDir::new().unwrap();
        let store = filled(folder.path(), kind);
        let mut all = records(1, 500);
        filters_are_exact(&store, &all);
        let new = records(2, 100);
        store.add(new.clone()).unwrap();
        all.extend(new);
        filters_are_exact(&store, &all);
        filters_are_exact(&Store::inspect(folder.path()).unwrap(), &all);
    }
}

fn filters_are_exact(store: &Store, all: &[Record]) {
    let query = &clustered(6, 1, DIM)[..];
    let check = |filter: Filter, passes: fn(&Record) -> bool| {
        let mut want: Vec<String> =
            all.iter().filter(|record| passes(record)).map(|record| record.id.clone()).collect();
        let mut got = found(store, query, 1_000, &filter);
        want.sort();
        got.sort();
        assert_eq!(got, want, "{filter:?}");
    };
    check(Filter::kind("QueueFormed"), |r| r.kind == "QueueFormed");
    check(Filter::zone("dock_3"), |r| r.zone.as_deref() == Some("dock_3"));
    check(Filter::between(Some(100_000), Some(200_000)), |r| (100_000..200_000).contains(&r.time_ns));
    let both = Filter::site("site-1").and(Filter::kind("QueueFormed"));
    check(both, |r| r.site == "site-1" && r.kind == "QueueFormed");
    check(Filter::kind("Nothing"), |_| false);
}

#[test]
fn a_filter_with_a_value_that_is_nowhere_is_named_with_those_that_are() {
    let folder = TempDir::new().unwrap();
    let store = filled(folder.path(), hnsw());
    let filter = Filter::kind("DoorOpened").and(Filter::zone("roof"));
    let error = store.require_known(&filter).unwrap_err().to_string();
    let want =
        "no event in the store has the zone `roof`; there are dock_0, dock_1, dock_2, dock_3, dock_4, dock_5, dock_6";
    assert_eq!(error, want);
    assert!(store.require_known(&Filter::zone("dock_0")).is_ok());
}

/// The graph alone reached 219 of 300 vectors when this was written.
#[test]
fn k_results_come_back_whenever_k_exist() {
    let (a, b) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (exact, hnsw) = (filled(a.path(), Arc::new(Exact)), filled(b.path(), hnsw()));
    let query = &clustered(8, 1, DIM)[..];
    for k in [1, 100, 400, 500, 1_000] {
        let hits = found(&hnsw, query, k, &Filter::All);
        assert_eq!(hits.len(), k.min(500));
        if k >= 400 {
            assert_eq!(hits, found(&exact, query, k, &Filter::All));
        }
    }
}

#[test]
fn new_records_are_found_before_the_index_is_built_again() {
    let folder = TempDir::new().unwrap();
    let store = filled(folder.path(), hnsw());
    let new = records(2, 30);
    assert_eq!(store.add(new.clone()).unwrap(), 30);
    assert_eq!(found(&store, &new[7].vector, 1, &Filter::All), ["event-2-7"]);
    let stats = store.stats().unwrap();
    assert_eq!((stats.n_vectors, stats.n_indexed), (530, 500));
    // The same after the program was started again.
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(found(&store, &new[7].vector, 1, &Filter::All), ["event-2-7"]);
}

#[test]
fn a_record_that_is_there_already_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let store = filled(folder.path(), hnsw());
    assert_eq!(store.add(records(1, 500)).unwrap(), 0);
    let asked = [("event-1-0", "{}"), ("event-1-0", "{\"other\":1}"), ("event-1-1", "{}")];
    let presence = store.compare("site-0", &asked).unwrap();
    assert_eq!(presence, [Presence::Same, Presence::Different, Presence::Missing]);
    assert_eq!(store.stats().unwrap().n_vectors, 500);
}

/// Who follows a store is given every record once and in order, and begins again where rows were numbered anew.
#[test]
fn what_is_added_can_be_followed() {
    let folder = TempDir::new().unwrap();
    let store = filled(folder.path(), hnsw());
    let last = store.last_added().unwrap();
    assert_eq!((last, store.added_after(last, 10).unwrap()), (500, Vec::new()));
    let new = records(2, 30);
    store.add(new.clone()).unwrap();
    let first = store.added_after(last, 20).unwrap();
    let rest = store.added_after(first[19].number, 20).unwrap();
    let sites: Vec<String> = first.iter().chain(&rest).map(|added| added.site.clone()).collect();
    assert_eq!(sites, new.iter().map(|record| record.site.clone()).collect::<Vec<_>>());
    assert_eq!(rest.last().map(|added| added.number), Some(store.last_added().unwrap()));
    let ids: Vec<&str> = new.iter().filter(|record| record.site == "site-0").map(|record| record.id.as_str()).collect();
    store.delete("site-0", &ids).unwrap();
    assert_eq!(store.added_after(last, 30).unwrap().len(), 30 - ids.len());
    store.compact(&()).unwrap();
    assert_eq!(store.last_added().unwrap(), 530 - ids.len() as u64);
}

#[test]
fn a_missing_cut_or_changed_index_file_is_not_read_and_answers_stay_exact_until_it_is_built_again() {
    let folder = TempDir::new().unwrap();
    let query = &clustered(7, 1, DIM)[..];
    let want = found(&filled(folder.path(), hnsw()), query, 10, &Filter::All);
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
        assert_eq!(store.wait_for_index(), IndexState::None, "{what}");
        assert_eq!(found(&store, query, 10, &Filter::All), want, "{what}");
        assert!(store.build_behind().unwrap(), "{what}");
        assert_eq!(store.wait_for_index(), IndexState::Ready, "{what}");
        assert_eq!(found(&store, query, 10, &Filter::All), want, "{what}");
        assert_eq!(fs_err::read(&file).unwrap(), whole, "{what}: the same graph again");
        assert!(store.verify().unwrap().index_is_sound);
        assert!(!store.build_behind().unwrap(), "there is nothing to build");
    }
    fs_err::write(folder.path().join("index.json"), "{}").unwrap();
    assert_eq!(found(&Store::open(folder.path()).unwrap(), query, 10, &Filter::All), want);
}

#[test]
fn verify_sees_a_damaged_index_file() {
    let folder = TempDir::new().unwrap();
    let store = filled(folder.path(), hnsw());
    fs_err::write(folder.path().join("index.faiss"), "nonsense").unwrap();
    let report = store.verify().unwrap();
    assert_eq!((report.database.as_str(), report.index_is_sound), ("ok", false));
}

#[test]
fn the_store_of_another_run_is_refused() {
    let folder = TempDir::new().unwrap();
    drop(filled(folder.path(), hnsw()));
    let open = |header: StoreHeader| Store::open_or_create(folder.path(), &header, hnsw()).unwrap_err();
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
    drop(filled(folder.path(), Arc::new(Exact)));
    let store = Store::open_or_create(folder.path(), &header(), hnsw()).unwrap();
    assert_eq!(store.stats().unwrap().index, KindRecord::of(hnsw().as_ref()));
    store.build(&()).unwrap();
    assert!(folder.path().join("index.faiss").exists());
}

#[test]
fn a_database_that_a_kill_left_empty_becomes_a_store() {
    let folder = TempDir::new().unwrap();
    fs_err::write(folder.path().join("store.sqlite"), "").unwrap();
    assert!(matches!(Store::open(folder.path()), Err(IndexError::NoStore { .. })));
    let store = Store::open_or_create(folder.path(), &header(), hnsw()).unwrap();
    assert_eq!(store.add(records(1, 10)).unwrap(), 10);
}

#[test]
fn the_index_file_of_another_store_is_no_index_of_this_one() {
    let (a, b) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    drop(filled(a.path(), hnsw()));
    let other = Store::open_or_create(b.path(), &header(), hnsw()).unwrap();
    other.add(records(2, 500)).unwrap();
    other.build(&()).unwrap();
    for name in ["index.faiss", "index.json"] {
        fs_err::copy(a.path().join(name), b.path().join(name)).unwrap();
    }
    assert!(!other.verify().unwrap().index_is_sound);
    let query = &records(2, 1)[0].vector;
    assert_eq!(found(&Store::open(b.path()).unwrap(), query, 1, &Filter::All), ["event-2-0"]);
}

#[test]
fn inspecting_changes_nothing_and_finds_all() {
    let folder = TempDir::new().unwrap();
    let query = &clustered(7, 1, DIM)[..];
    let want = found(&filled(folder.path(), hnsw()), query, 10, &Filter::All);
    let file = folder.path().join("index.faiss");
    fs_err::write(&file, "nonsense").unwrap();
    let store = Store::inspect(folder.path()).unwrap();
    assert_eq!(found(&store, query, 10, &Filter::All), want);
    let report = store.verify().unwrap();
    assert_eq!((report.index_is_sound, report.n_bad_vectors), (false, 0));
    assert_eq!(fs_err::read(&file).unwrap(), b"nonsense");
}

#[test]
fn the_kind_is_recorded_as_it_always_was() {
    let folder = TempDir::new().unwrap();
    let recorded = || -> String {
        let database = rusqlite::Connection::open(folder.path().join("store.sqlite")).unwrap();
        database.query_row("SELECT value FROM meta WHERE key = 'kind'", [], |row| row.get(0)).unwrap()
    };
    drop(filled(folder.path(), Arc::new(Exact)));
    assert_eq!(recorded(), r#"{"kind":"exact"}"#);
    drop(filled(folder.path(), hnsw()));
    assert_eq!(recorded(), r#"{"kind":"hnsw","m":32,"ef-construction":80,"ef-search":64,"n-threads":1}"#);
    let description = fs_err::read_to_string(folder.path().join("index.json")).unwrap();
    let options = r#"    "options": {
      "m": 32,
      "ef-construction": 80,
      "ef-search": 64,
      "n-threads": 1
    },
"#;
    assert!(description.contains(options), "{description}");
}

#[test]
fn a_graph_is_read_with_other_settings_of_searches_and_not_with_others_of_its_own() {
    let folder = TempDir::new().unwrap();
    drop(filled(folder.path(), hnsw()));
    let check = |options: HnswOptions, want: IndexState| {
        let kind = Arc::new(Hnsw::new(options).unwrap());
        let store = Store::open_or_create(folder.path(), &header(), kind).unwrap();
        assert_eq!(store.wait_for_index(), want, "{options:?}");
    };
    check(HnswOptions { ef_search: 200, n_threads: 2, ..HnswOptions::default() }, IndexState::Ready);
    check(HnswOptions { m: 16, ..HnswOptions::default() }, IndexState::None);
}

/// A kind that nobody in the crate knows: it compares every vector, rounded to steps of 1 / `n_steps`.
#[derive(Debug, Clone, Copy)]
struct Rounded {
    n_steps: i16,
}

impl Rounded {
    fn round(self, source: &dyn VectorSource) -> RoundedIndex {
        let step = |value: &f32| (value * f32::from(self.n_steps)).round() / f32::from(self.n_steps);
        let mut vectors = Vec::new();
        source.read(0..source.ids().len(), &mut vectors).unwrap();
        RoundedIndex { dim: source.dim(), ids: source.ids().to_vec(), values: vectors.iter().map(step).collect() }
    }
}

impl IndexKind for Rounded {
    fn name(&self) -> &'static str {
        "rounded"
    }

    fn settings(&self) -> KindSettings {
        KindSettings::of(&serde_json::json!({"n-steps": self.n_steps})).unwrap()
    }

    fn build(&self, source: &dyn VectorSource, _: &dyn Progress) -> Result<Box<dyn VectorIndex>, IndexError> {
        Ok(Box::new(self.round(source)))
    }

    fn file(&self) -> Option<&dyn IndexFile> {
        Some(self)
    }
}

impl IndexFile for Rounded {
    fn file_name(&self) -> &'static str {
        "index.rounded"
    }

    fn build_file(
        &self,
        source: &dyn VectorSource,
        path: &Path,
        _: &dyn Progress,
    ) -> Result<Box<dyn VectorIndex>, IndexError> {
        let RoundedIndex { dim, ids, values } = self.round(source);
        let numbers: Vec<i64> = ids.iter().map(|id| id.0).collect();
        fs_err::write(path, serde_json::to_vec(&(dim, numbers, &values))?)?;
        Ok(Box::new(RoundedIndex { dim, ids, values }))
    }

    fn read_file(&self, path: &Path) -> Result<Box<dyn VectorIndex>, IndexError> {
        let (dim, numbers, values): (usize, Vec<i64>, Vec<f32>) = serde_json::from_slice(&fs_err::read(path)?)?;
        if numbers.len() * dim != values.len() {
            return Err(IndexError::Kind("a row is cut".into()));
        }
        Ok(Box::new(RoundedIndex { dim, ids: numbers.into_iter().map(VectorId).collect(), values }))
    }
}

#[derive(Debug)]
struct RoundedIndex {
    dim: usize,
    ids: Vec<VectorId>,
    values: Vec<f32>,
}

impl VectorIndex for RoundedIndex {
    fn dim(&self) -> usize {
        self.dim
    }

    fn len(&self) -> usize {
        self.ids.len()
    }

    fn search(&self, query: &[f32], k: usize) -> Result<Vec<Neighbor>, IndexError> {
        self.search_among(query, k, &self.ids.iter().copied().collect())
    }

    fn filtered(&self) -> Option<&dyn FilteredIndex> {
        Some(self)
    }
}

impl FilteredIndex for RoundedIndex {
    fn search_among(&self, query: &[f32], k: usize, ids: &IdSet) -> Result<Vec<Neighbor>, IndexError> {
        let rows = self.ids.iter().zip(self.values.chunks_exact(self.dim)).filter(|(id, _)| ids.contains(**id));
        let similarity = |row: &[f32]| row.iter().zip(query).map(|(a, b)| a * b).sum::<f32>();
        let mut neighbors: Vec<Neighbor> =
            rows.map(|(&id, row)| Neighbor { id, similarity: similarity(row) }).collect();
        neighbors.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
        neighbors.truncate(k);
        Ok(neighbors)
    }
}

#[test]
fn an_index_kind_from_outside_drives_a_store() {
    let (a, b) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let exact = filled(a.path(), Arc::new(Exact));
    let rounded: Arc<dyn IndexKind> = Arc::new(Rounded { n_steps: 30_000 });
    let mut store = filled(b.path(), Arc::clone(&rounded));
    let queries = clustered(5, 20, DIM);
    let kind = Filter::kind("QueueFormed");
    let searches = |store: &Store| -> Vec<Vec<String>> {
        let one = |query| [found(store, query, 1, &Filter::All), found(store, query, 1, &kind)].concat();
        queries.chunks_exact(DIM).map(one).collect()
    };
    let want = searches(&store);
    let n_same = want.iter().zip(searches(&exact)).filter(|(rounded, exact)| *rounded == exact).count();
    // Rounding changes an inner product by less than 1e-4, which reorders almost nothing.
    assert!(n_same >= 18, "the nearest of {n_same} of 20 queries are those of exact search");

    // The file of other settings is not read: nothing is found by coarse steps until they are built.
    let coarse = Store::open_or_create(b.path(), &header(), Arc::new(Rounded { n_steps: 1 })).unwrap();
    assert_eq!(coarse.wait_for_index(), IndexState::None);
    coarse.build(&()).unwrap();
    assert_ne!(searches(&coarse), want);
    let reopened = || {
        let store = Store::open_or_create(b.path(), &header(), Arc::clone(&rounded)).unwrap();
        store.wait_for_index();
        store
    };
    store = reopened();
    store.build(&()).unwrap();

    // Read from its file, and not when that is damaged.
    let file = b.path().join("index.rounded");
    let whole = fs_err::read(&file).unwrap();
    for bytes in [&whole[..], &whole[..whole.len() / 2], &whole[..0]] {
        fs_err::write(&file, bytes).unwrap();
        assert_eq!(store.verify().unwrap().index_is_sound, bytes.len() == whole.len());
        store = reopened();
        assert_eq!(store.index_state() == IndexState::Ready, bytes.len() == whole.len());
        store.build(&()).unwrap();
        assert_eq!(searches(&store), want);
        assert_eq!(fs_err::read(&file).unwrap(), whole);
    }

    // New records are found beside the index, and the store knows its kind and settings.
    let new = records(2, 30);
    store.add(new.clone()).unwrap();
    assert_eq!(found(&store, &new[7].vector, 1, &Filter::All), ["event-2-7"]);
    let stats = store.stats().unwrap();
    assert_eq!((stats.n_vectors, stats.n_indexed), (530, 500));
    assert_eq!(serde_json::to_string(&stats.index).unwrap(), r#"{"kind":"rounded","n-steps":30000}"#);

    // By name alone only kinds of the table are opened; inspecting needs none, and another kind may take over.
    let by_name = Store::open(b.path()).unwrap();
    let state = by_name.wait_for_index();
    assert!(matches!(&state, IndexState::Failed(why) if why.contains("unknown index kind `rounded`")), "{state:?}");
    assert_eq!(searches(&by_name).len(), 20);
    assert_eq!(Store::inspect(b.path()).unwrap().stats().unwrap().n_indexed, 500);
    Store::open_or_create(b.path(), &header(), hnsw()).unwrap().build(&()).unwrap();
    assert_eq!(Store::open(b.path()).unwrap().stats().unwrap().n_indexed, 530);
}
