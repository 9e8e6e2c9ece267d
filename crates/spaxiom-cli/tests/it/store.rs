//! Stores from the command line: conditions, times and examples as queries, reasons, deletions, copies, other programs' files.

use std::sync::LazyLock;

use serde_json::Value;

use crate::{WORLD, done, fails, json};

/// A store of the world's data that no test changes.
pub(crate) static STORE: LazyLock<String> = LazyLock::new(|| {
    let store = WORLD.path("searched");
    done(&["index", "build", "--store", &store, "--run", &WORLD.run(), "--data", &WORLD.data()]);
    store
});

fn search(words: &[&str]) -> Vec<Value> {
    let found = json(&[&["search", "--store", &STORE], words].concat());
    found["hits"].as_array().unwrap().clone()
}

fn ids(hits: &[Value]) -> Vec<&str> {
    hits.iter().map(|hit| hit["id"].as_str().unwrap()).collect()
}

/// Some event of the store.
fn some_id() -> String {
    let hits = search(&["--at", "warehouse-00", "2025-01-07T10:00:00Z", "--until", "2025-01-07T12:00:00Z", "-k", "1"]);
    hits[0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_condition_filters_and_a_wrong_one_is_pointed_at() {
    let id = some_id();
    let condition = "type = DoorOpened and zone in (dock_1, dock_2) and hour in 8..18 and weekday in mon..fri";
    let hits = search(&["--id", &id, "--where", condition, "-k", "5"]);
    assert!(!hits.is_empty());
    for hit in &hits {
        assert_eq!(hit["type"], "DoorOpened");
        assert!(["dock_1", "dock_2"].contains(&hit["zone"].as_str().unwrap()));
    }
    let long = search(&["--id", &id, "--where", "type = QueueFormed and length >= 4", "-k", "5"]);
    assert!(!long.is_empty() && long.iter().all(|hit| hit["metadata"]["attrs"]["length"].as_f64().unwrap() >= 4.0));
    let wrong = |condition: &str, code, want: &str| {
        fails(&["search", "--store", &STORE, "--id", &id, "--where", condition], code, want);
    };
    wrong("type = DoorOpened zone = dock_1", 2, "invalid filter: expected `and`, `or` or the end at column 19");
    wrong("type = DoorFell", 1, "no event in the store has the type `DoorFell`; there are");
    wrong("girth > 3", 1, "no event in the store has the attribute `girth`; there are");
}

#[test]
fn a_time_and_examples_are_queries() {
    // The mean of a moment finds other moments, and not itself.
    let then = ["--at", "warehouse-00", "2025-01-07T10:00"];
    for hit in search(&[&then[..], &["-k", "5"]].concat()) {
        let time = hit["time"].as_str().unwrap();
        assert!(hit["site"] != "warehouse-00" || !time.starts_with("2025-01-07T10:0"), "{time}");
    }
    fails(
        &["search", "--store", &STORE, "--at", "warehouse-00", "2031-01-01"],
        1,
        "no event of the site `warehouse-00` from",
    );
    fails(&["search", "--store", &STORE, "--at", "warehouse-00", "noon"], 2, "`--at` wants a time such as");
    let (a, b) = (some_id(), search(&["--id", &some_id(), "-k", "1"])[0]["id"].as_str().unwrap().to_owned());
    let both = search(&["--like", &a, "--like", &b, "-k", "5", "--all"]);
    assert!(!ids(&both).contains(&a.as_str()) && !ids(&both).contains(&b.as_str()));
    let not_b = search(&["--like", &a, "--unlike", &b, "-k", "5", "--all"]);
    assert_ne!(ids(&both), ids(&not_b));
    fails(&["search", "--store", &STORE, "--unlike", &b], 2, "--like");
    fails(&["search", "--store", &STORE, "--like", "nobody"], 1, "no event `nobody` in the store");
    fails(&["search", "--store", &STORE, "--event", "{}"], 2, "--run");
}

#[test]
fn a_hit_says_why_it_was_found_and_what_followed() {
    let (id, run) = (some_id(), WORLD.run());
    let hits = search(&["--run", &run, "--id", &id, "-k", "3", "--evidence"]);
    for hit in &hits {
        let evidence = &hit["evidence"];
        assert!(evidence["followed"]["n_events"].is_u64());
        let hidden = evidence["hidden"].as_array().unwrap();
        assert!(hidden.len() >= 4 && hidden.iter().all(|part| part["loss"].is_f64()));
        // The event itself is laid beside the hit where both are of one type.
        let last = evidence["aligned"].as_array().unwrap().last();
        assert!(last.is_some_and(|pair| pair["hit_secs_before"].as_f64().unwrap() >= 0.0));
    }
    let other = hits[0]["id"].as_str().unwrap();
    let explained = json(&["search", "--store", &STORE, "--run", &run, "--explain", &id, other]);
    let part = |evidence: &Value| [evidence["aligned"].clone(), evidence["followed"].clone()];
    assert_eq!(part(&explained), part(&hits[0]["evidence"]));
    let text = done(&["search", "--store", &STORE, "--run", &run, "--explain", &id, other]);
    assert!(text.contains("similarity lost without") && text.contains("followed within 30 minutes"), "{text}");
    fails(&["search", "--store", &STORE, "--id", &id, "--evidence"], 2, "`--evidence` needs `--run`");
}

#[test]
fn a_store_is_verified_copied_emptied_in_part_and_compacted() {
    let [copy, restored] = ["copied", "restored"].map(|name| WORLD.path(name));
    let verified = json(&["index", "verify", "--store", &STORE, "--queries", "20"]);
    assert_eq!((&verified["audit"]["stored"]["recall_mean"], &verified["n_bad_vectors"]), (&1.0.into(), &0.into()));
    assert!(verified["audit"]["drift"]["new"].as_f64().unwrap() > 0.5);
    let n_vectors = json(&["index", "stats", "--store", &STORE])["n_vectors"].as_u64().unwrap();
    assert_eq!(json(&["index", "snapshot", "--store", &STORE, "--to", &copy])["n_vectors"], n_vectors);
    fails(&["index", "snapshot", "--store", &STORE, "--to", &copy], 1, "is there already");
    fails(&["index", "delete", "--store", &copy, "--where", " "], 2, "`--where` names no condition");
    let deleted = json(&["index", "delete", "--store", &copy, "--where", "time < 2025-01-07"]);
    let (n_deleted, n_left) = (deleted["deleted"].as_u64().unwrap(), deleted["left"].as_u64().unwrap());
    assert!(n_deleted > 0 && n_left > 0 && n_deleted + n_left == n_vectors);
    assert_eq!(json(&["index", "compact", "--store", &copy])["reclaimed"], n_deleted);
    let stats = json(&["index", "stats", "--store", &copy]);
    assert_eq!((&stats["n_vectors"], &stats["n_dead"]), (&n_left.into(), &0.into()));
    done(&["index", "restore", "--from", &copy, "--store", &restored]);
    assert_eq!(json(&["index", "stats", "--store", &restored])["n_vectors"], n_left);
    done(&["index", "verify", "--store", &restored]);
}

#[test]
fn an_export_is_imported_as_the_same_store() {
    let [file, array, atlas, other] = ["s.parquet", "s.npy", "atlas.parquet", "imported"].map(|name| WORLD.path(name));
    let export = |to: &str, out: &str| json(&["index", "export", "--store", &STORE, "--to", to, "--out", out]);
    let n_vectors = export("parquet", &file)["n_vectors"].clone();
    assert_eq!(export("npy", &array)["n_vectors"], n_vectors);
    let few = WORLD.path("few");
    done(&["index", "snapshot", "--store", &STORE, "--to", &few]);
    done(&["index", "delete", "--store", &few, "--where", "time >= 2025-01-06T06:00"]);
    done(&["index", "export", "--store", &few, "--to", "atlas", "--out", &atlas]);
    let imported = json(&["index", "import", "--store", &other, "--from", &file, "--encoder", "somebody-else"]);
    assert_eq!(imported["new"], n_vectors);
    let id = some_id();
    let there = json(&["search", "--store", &other, "--id", &id, "-k", "5", "--where", "type != DoorClosed"]);
    let here = search(&["--id", &id, "-k", "5", "--where", "type != DoorClosed"]);
    assert_eq!(ids(there["hits"].as_array().unwrap()), ids(&here));
    // Again is no more, another encoder is refused, and a file without vectors is named.
    let again = json(&["index", "import", "--store", &other, "--from", &file, "--encoder", "somebody-else"]);
    assert_eq!((&again["new"], &again["skipped"]), (&0.into(), &n_vectors));
    fails(
        &["index", "import", "--store", &other, "--from", &file, "--encoder", "me"],
        1,
        "built with the encoder somebody-else",
    );
    fails(&["index", "import", "--store", &other, "--from", &atlas, "--encoder", "me"], 1, "wanted a column `vector`");
}
