//! Servers that go away, and programs that write at the same time.

use std::sync::Arc;
use std::time::Duration;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use spaxiom_index::{Filter, IndexError, Record, VectorStore};
use spaxiom_postgres::{PostgresAddress, PostgresStore};

use crate::same::{header, record};
use crate::server::Server;

#[test]
fn a_server_that_comes_back_has_all_that_was_acknowledged() {
    let Some(server) = Server::start() else { return };
    let store = Arc::new(PostgresStore::create(&server.address("trouble"), &header()).unwrap());
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let records: Vec<Record> = (0..600).map(|n| record(&mut rng, n)).collect();
    let writer = {
        let (store, records) = (Arc::clone(&store), records.clone());
        std::thread::spawn(move || records.chunks(10).map(|batch| store.add(batch.to_vec()).unwrap()).sum::<usize>())
    };
    for _ in 0..2 {
        std::thread::sleep(Duration::from_millis(150));
        server.down();
        server.up();
    }
    // A batch whose acknowledgement was cut off is there already when it is tried again, and counted then as not new.
    let n_new = writer.join().unwrap();
    assert!((600 - 3 * 10..=600).contains(&n_new), "{n_new}");
    assert_eq!(store.sample(0, &Filter::All).unwrap().n_passing, 600);
    for known in &records {
        let mut found = store.get_at(&known.site, &known.id).unwrap().unwrap();
        found.vector.clone_from(&known.vector);
        assert_eq!(found, *known);
    }
}

#[test]
fn programs_that_begin_and_write_together_share_one_store() {
    let Some(server) = Server::start() else { return };
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let records: Vec<Record> = (0..200).map(|n| record(&mut rng, n)).collect();
    let n_new: usize = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let store = PostgresStore::create(&server.address("shared"), &header()).unwrap();
                    records.chunks(20).map(|batch| store.add(batch.to_vec()).unwrap()).sum::<usize>()
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).sum()
    });
    assert_eq!(n_new, 200, "every record is new once");
}

#[test]
fn a_server_that_is_not_there_is_said() {
    let address: PostgresAddress = "postgres://ann:hunter2@127.0.0.1:1/db?connect_timeout=1".parse().unwrap();
    let error = PostgresStore::open(&address).unwrap_err();
    assert!(matches!(error, IndexError::Engine(_)), "{error}");
    assert!(!format!("{error:?}").contains("hunter2"));
}
