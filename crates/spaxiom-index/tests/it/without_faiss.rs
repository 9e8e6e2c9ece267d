//! A build without FAISS: exact search works, and a store that wants FAISS says so.

use std::sync::Arc;

use spaxiom_index::{Exact, Filter, IndexError, IndexState, KindName, KindSettings, Record, Store, StoreHeader};
use tempfile::TempDir;

use crate::clustered;

#[test]
fn a_store_of_a_kind_that_is_not_compiled_in_names_the_feature() {
    let folder = TempDir::new().unwrap();
    let header = StoreHeader { dim: 4, tokenizer: "t1".into(), encoder: "e1".into() };
    let store = Store::open_or_create(folder.path(), &header, Arc::new(Exact)).unwrap();
    let vector = clustered(1, 1, 4);
    let record = Record {
        id: "a".into(),
        site: "s".into(),
        kind: "DoorOpened".into(),
        zone: None,
        time_ns: 0,
        metadata: "{}".into(),
        vector: vector.clone(),
    };
    store.add(vec![record]).unwrap();
    drop(store);
    let database = rusqlite::Connection::open(folder.path().join("store.sqlite")).unwrap();
    let kind = r#"{"kind":"hnsw","m":32,"ef-construction":80,"ef-search":64,"n-threads":1}"#;
    database.execute("UPDATE meta SET value = ?1 WHERE key = 'kind'", [kind]).unwrap();
    drop(database);

    let store = Store::open(folder.path()).unwrap();
    let state = store.wait_for_index();
    assert!(matches!(&state, IndexState::Failed(why) if why.contains("feature `faiss`")), "{state:?}");
    assert_eq!(store.search(&vector, 1, &Filter::All).unwrap()[0].record.id, "a");
    assert_eq!(store.stats().unwrap().index.name(), "hnsw");
    let error = store.build(&()).unwrap_err();
    assert!(matches!(error, IndexError::KindNotCompiledIn { kind: "hnsw", feature: "faiss" }), "{error}");
    let store = Store::open_or_create(folder.path(), &header, Arc::new(Exact)).unwrap();
    assert_eq!(store.stats().unwrap().n_indexed, 1);
}

#[test]
fn the_default_kind_is_compiled_in() {
    assert!(KindName::default().open(&KindSettings::default()).is_ok());
}
