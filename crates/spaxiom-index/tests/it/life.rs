//! The life of a store: random operations against a model in memory, copies, compaction, many readers, damage.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;
use spaxiom_index::{Exact, Filter, IndexError, IndexKind, RaBitQ, Record, Store, StoreHeader};
use tempfile::TempDir;

use crate::clustered;

const DIM: usize = 8;

fn header() -> StoreHeader {
    StoreHeader { dim: DIM, tokenizer: "t1".into(), encoder: "e1".into() }
}

fn open(path: &Path) -> Store {
    Store::open_or_create(path, &header(), Arc::new(RaBitQ::default())).unwrap()
}

fn record(id: u64, version: u64) -> Record {
    Record {
        id: format!("event-{id:03}"),
        site: format!("site-{}", id % 2),
        kind: if id.is_multiple_of(3) { "QueueFormed" } else { "DoorOpened" }.into(),
        zone: None,
        time_ns: i64::try_from(id * 1_000).unwrap(),
        metadata: format!("{{\"version\":{version}}}"),
        vector: clustered(1_000 * id + version, 1, DIM),
    }
}

/// What is done to a store, by the numbers of records.
#[derive(Debug, Clone)]
enum Step {
    Add(Vec<u64>),
    Put(Vec<u64>, u64),
    Delete(u64),
    DeleteBefore(u64),
    Build,
    Compact,
    Reopen,
    Snapshot,
    OtherProcessAdds(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let id = || 0u64..60;
    let step = prop_oneof![
        4 => proptest::collection::vec(id(), 1..12).prop_map(Step::Add),
        3 => (proptest::collection::vec(id(), 1..5), 1u64..9).prop_map(|(ids, version)| Step::Put(ids, version)),
        2 => id().prop_map(Step::Delete),
        1 => (0u64..20).prop_map(Step::DeleteBefore),
        2 => Just(Step::Build),
        1 => Just(Step::Compact),
        1 => Just(Step::Reopen),
        1 => Just(Step::Snapshot),
        1 => id().prop_map(Step::OtherProcessAdds),
    ];
    proptest::collection::vec(step, 1..25)
}

/// The records that a store has to hold, by id.
type Model = BTreeMap<String, Record>;

fn agree(store: &Store, model: &Model) -> Result<(), TestCaseError> {
    for (query, filter) in [(7, ""), (8, "type = QueueFormed"), (9, "not site = site-0 and version < 5")] {
        let filter = Filter::parse(filter).unwrap();
        let query = clustered(query, 1, DIM);
        let passes = |record: &Record| match &filter {
            Filter::All => true,
            Filter::Is { .. } => record.kind == "QueueFormed",
            _ => record.site != "site-0" && !["5", "6", "7", "8"].iter().any(|v| record.metadata.contains(v)),
        };
        let similarity = |record: &Record| record.vector.iter().zip(&query).map(|(a, b)| a * b).sum::<f32>();
        let mut want: Vec<(f32, &str)> = model
            .values()
            .filter(|record| passes(record))
            .map(|record| (similarity(record), record.metadata.as_str()))
            .collect();
        want.sort_by(|a, b| b.0.total_cmp(&a.0));
        let got = store.search(&query, 10, &filter).unwrap();
        prop_assert_eq!(got.len(), want.len().min(10));
        for (hit, (similarity, _)) in got.iter().zip(want) {
            // Vectors are kept in half precision.
            prop_assert!((hit.similarity - similarity).abs() < 2e-3, "{} for {similarity}", hit.similarity);
            prop_assert_eq!(&model[&hit.record.id].metadata, &hit.record.metadata);
        }
    }
    prop_assert_eq!(store.stats().unwrap().n_vectors, model.len());
    for (id, record) in model {
        let stored = store.get(id).unwrap().unwrap();
        prop_assert_eq!((&stored.metadata, &stored.site), (&record.metadata, &record.site));
    }
    Ok(())
}

fn take(store: &mut Store, folder: &Path, step: &Step, model: &mut Model) {
    match step {
        Step::Add(ids) => {
            let records: Vec<Record> = ids.iter().map(|&id| record(id, 0)).collect();
            let n_before = model.len();
            for record in &records {
                model.entry(record.id.clone()).or_insert_with(|| record.clone());
            }
            assert_eq!(store.add(records).unwrap(), model.len() - n_before);
        }
        Step::Put(ids, version) => {
            let records: Vec<Record> = ids.iter().map(|&id| record(id, *version)).collect();
            store.put(records.clone()).unwrap();
            model.extend(records.into_iter().map(|record| (record.id.clone(), record)));
        }
        Step::Delete(id) => {
            let Record { id, site, .. } = record(*id, 0);
            let is_there = model.remove(&id).is_some();
            assert_eq!(store.delete(&site, &[&id]).unwrap(), usize::from(is_there));
        }
        Step::DeleteBefore(id) => {
            let end = i64::try_from(id * 1_000).unwrap();
            let n_before = model.len();
            model.retain(|_, record| record.time_ns >= end);
            let filter = Filter::between(None, Some(end));
            assert_eq!(store.delete_passing(&filter).unwrap(), n_before - model.len());
        }
        Step::Build => drop(store.build(&()).unwrap()),
        Step::Compact => {
            store.compact(&()).unwrap();
            assert_eq!(store.stats().unwrap().n_dead, 0);
        }
        Step::Reopen => {
            *store = Store::open(folder).unwrap();
            store.wait_for_index();
        }
        Step::Snapshot => {
            let copy = folder.with_file_name("copy");
            store.snapshot(&copy).unwrap();
            let copied = Store::open(&copy).unwrap();
            copied.wait_for_index();
            agree(&copied, model).unwrap();
            drop(copied);
            fs_err::remove_dir_all(&copy).unwrap();
        }
        Step::OtherProcessAdds(id) => {
            let record = record(*id, 0);
            Store::inspect(folder).unwrap().add(vec![record.clone()]).unwrap();
            model.entry(record.id.clone()).or_insert(record);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_store_answers_as_a_model_in_memory(steps in steps()) {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("store");
        let mut store = open(&path);
        let mut model = Model::new();
        for step in &steps {
            take(&mut store, &path, step, &mut model);
            agree(&store, &model)?;
        }
        prop_assert!(store.build(&()).is_ok() && store.verify().unwrap().is_sound());
    }
}

#[test]
fn a_store_of_the_format_before_is_migrated() {
    let folder = TempDir::new().unwrap();
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/format-2/store.sqlite");
    fs_err::copy(old, folder.path().join("store.sqlite")).unwrap();
    for _ in 0..2 {
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(
            store.header(),
            &StoreHeader { dim: 4, tokenizer: "tokenizer-1".into(), encoder: "encoder-1".into() }
        );
        assert_eq!(store.stats().unwrap().n_vectors, 12);
        let record = store.get("event-5").unwrap().unwrap();
        assert_eq!(
            (record.site.as_str(), record.zone.as_deref(), record.time_ns),
            ("site-1", Some("dock_1"), 1_736_159_280_000_000_000)
        );
        assert_eq!(record.metadata, r#"{"id":"event-5","length":5}"#);
        let hits = store.search(&record.vector, 3, &Filter::parse("length >= 5").unwrap()).unwrap();
        let found: Vec<&str> = hits.iter().map(|hit| hit.record.id.as_str()).collect();
        assert_eq!(found, ["event-5", "event-6", "event-7"]);
        assert!(store.verify().unwrap().is_sound());
    }
}

#[test]
fn a_newer_format_is_refused() {
    let folder = TempDir::new().unwrap();
    drop(open(folder.path()));
    let database = rusqlite::Connection::open(folder.path().join("store.sqlite")).unwrap();
    database.execute("UPDATE meta SET value = '4' WHERE key = 'format'", []).unwrap();
    let error = Store::open(folder.path()).unwrap_err();
    assert!(matches!(error, IndexError::Format { found: 4, want: 3 }), "{error}");
}

#[test]
fn sqlite_does_not_lose_committed_transactions() {
    // Releases from 3.7.0 to 3.51.2 could, when a write-ahead log was reset.
    assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
}

#[test]
fn nothing_is_added_of_a_batch_with_a_vector_that_cannot_be_compared() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path());
    let mut bad = record(2, 0);
    bad.vector[3] = f32::NAN;
    let error = store.add(vec![record(1, 0), bad]).unwrap_err();
    assert!(error.to_string().contains("`event-002` has a value that is not finite"), "{error}");
    let error = store.add(vec![Record { vector: vec![1.0; 5], ..record(1, 0) }]).unwrap_err();
    assert!(matches!(error, IndexError::Dimension { want: DIM, got: 5 }), "{error}");
    assert_eq!(store.stats().unwrap().n_vectors, 0);
    // One id twice in one batch is one record.
    assert_eq!(store.add(vec![record(1, 0), record(1, 1)]).unwrap(), 1);
}

#[test]
fn many_threads_search_while_one_adds_deletes_and_builds() {
    let folder = TempDir::new().unwrap();
    let store = Arc::new(open(folder.path()));
    store.add((0..40).map(|id| record(id, 0)).collect()).unwrap();
    let is_done = Arc::new(AtomicBool::new(false));
    let searching: Vec<_> = (0..4)
        .map(|thread| {
            let (store, is_done) = (Arc::clone(&store), Arc::clone(&is_done));
            std::thread::spawn(move || {
                let mut n_searches = 0;
                while !is_done.load(Ordering::Relaxed) || n_searches == 0 {
                    // Records below 40 are never touched: each is its own nearest, whatever happens beside it.
                    let own = record((n_searches * 7 + thread) % 40, 0);
                    let hits = store.search(&own.vector, 1, &Filter::site(&own.site)).unwrap();
                    assert_eq!(hits[0].record.id, own.id);
                    n_searches += 1;
                }
            })
        })
        .collect();
    for round in 0..12 {
        store.add((100 + 10 * round..110 + 10 * round).map(|id| record(id, 0)).collect()).unwrap();
        store.delete("site-0", &[&record(100 + 10 * round, 0).id]).unwrap();
        match round % 4 {
            1 => drop(store.build(&()).unwrap()),
            3 => drop(store.compact(&()).unwrap()),
            _ => (),
        }
    }
    is_done.store(true, Ordering::Relaxed);
    for thread in searching {
        thread.join().unwrap();
    }
    assert_eq!(store.stats().unwrap().n_vectors, 40 + 12 * 9);
}

#[test]
fn a_second_writer_waits_for_the_first() {
    let folder = TempDir::new().unwrap();
    let (a, b) = (open(folder.path()), open(folder.path()));
    let threads = [(a, 0u64), (b, 100)].map(|(store, first)| {
        std::thread::spawn(move || {
            for id in first..first + 30 {
                assert_eq!(store.add(vec![record(id, 0)]).unwrap(), 1);
            }
            store
        })
    });
    for store in threads.map(|thread| thread.join().unwrap()) {
        let own = record(110, 0);
        assert_eq!(store.search(&own.vector, 1, &Filter::All).unwrap()[0].record.id, own.id);
    }
    assert_eq!(Store::open(folder.path()).unwrap().stats().unwrap().n_vectors, 60);
}

#[test]
fn a_snapshot_is_whole_or_not_there_and_a_damaged_one_is_not_restored() {
    let folder = TempDir::new().unwrap();
    let [path, copy, other] = ["store", "copy", "other"].map(|name| folder.path().join(name));
    let store = open(&path);
    store.add((0..20).map(|id| record(id, 0)).collect()).unwrap();
    store.build(&()).unwrap();
    store.snapshot(&copy).unwrap();
    assert!(matches!(store.snapshot(&copy), Err(IndexError::Exists { .. })));
    store.add((20..40).map(|id| record(id, 0)).collect()).unwrap();
    Store::restore(&copy, &other).unwrap();
    let restored = Store::open(&other).unwrap();
    assert_eq!(restored.stats().unwrap().n_vectors, 20);
    assert_eq!(restored.wait_for_index(), spaxiom_index::IndexState::Ready, "the index is copied too");
    let vectors = copy.join("vectors-1.f16");
    let mut bytes = fs_err::read(&vectors).unwrap();
    let n = bytes.len();
    bytes[n / 2] ^= 4;
    fs_err::write(&vectors, bytes).unwrap();
    let error = Store::restore(&copy, &folder.path().join("third")).unwrap_err();
    assert!(matches!(error, IndexError::Damaged { .. }), "{error}");
    assert!(!folder.path().join("third").exists());
}

/// A flipped bit or a cut of any file is an error or changes nothing: never another answer.
#[test]
fn damage_of_any_file_is_told_or_does_no_harm() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store");
    let store = open(&path);
    store.add((0..60).map(|id| record(id, 0)).collect()).unwrap();
    store.build(&()).unwrap();
    let query = clustered(7, 1, DIM);
    let answer = |store: &Store| -> Result<Vec<(String, String)>, IndexError> {
        let hits = store.search(&query, 10, &Filter::All)?;
        Ok(hits.into_iter().map(|hit| (hit.record.id, hit.record.metadata)).collect())
    };
    let want = answer(&store).unwrap();
    drop(store);
    // All is in the database itself then, and not in its log.
    let database = rusqlite::Connection::open(path.join("store.sqlite")).unwrap();
    database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(database);
    let mut n_told = 0;
    for name in ["vectors-1.f16", "index.rabitq", "index.json"] {
        let file = path.join(name);
        let whole = fs_err::read(&file).unwrap();
        let flips = (0..whole.len()).step_by(whole.len().div_ceil(40)).map(|at| {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            bytes
        });
        let cuts = [0, 1, whole.len() / 3, whole.len() - 1].map(|n| whole[..n].to_vec());
        for bytes in flips.chain(cuts) {
            fs_err::write(&file, bytes).unwrap();
            let answered = Store::open(&path).and_then(|store| {
                store.wait_for_index();
                answer(&store)
            });
            match answered {
                Ok(got) => assert_eq!(got, want, "{name}"),
                Err(IndexError::Damaged { .. }) => n_told += 1,
                Err(error) => panic!("{name}: {error}"),
            }
            let is_sound = Store::inspect(&path).and_then(|store| store.verify()).is_ok_and(|report| report.is_sound());
            assert!(!is_sound || name == "index.json", "{name}: `verify` sees it");
        }
        fs_err::write(&file, whole).unwrap();
    }
    let vectors = path.join("vectors-1.f16");
    fs_err::rename(&vectors, path.join("elsewhere")).unwrap();
    let error = Store::open(&path).unwrap().search(&query, 1, &Filter::All).unwrap_err();
    assert!(error.to_string().contains("is damaged: it is missing; restore a snapshot"), "{error}");
    fs_err::rename(path.join("elsewhere"), &vectors).unwrap();
    assert!(n_told > 30, "the vectors themselves cannot be made again: {n_told}");
    assert_eq!(answer(&Store::open(&path).unwrap()).unwrap(), want);
}

#[test]
fn a_compaction_that_was_killed_leaves_no_file_behind() {
    let folder = TempDir::new().unwrap();
    let store = Store::open_or_create(folder.path(), &header(), Arc::new(Exact) as Arc<dyn IndexKind>).unwrap();
    store.add((0..20).map(|id| record(id, 0)).collect()).unwrap();
    store.delete("site-0", &["event-004"]).unwrap();
    fs_err::write(folder.path().join("vectors-2.f16"), "half of it").unwrap();
    store.compact(&()).unwrap();
    assert_eq!(store.stats().unwrap().n_vectors, 19);
    store.delete("site-0", &["event-006"]).unwrap();
    store.compact(&()).unwrap();
    let names: Vec<String> = fs_err::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert!(names.contains(&"vectors-3.f16".into()) && !names.iter().any(|name| name == "vectors-2.f16"), "{names:?}");
}
