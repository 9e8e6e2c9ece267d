//! Commands, their documents and their exit codes.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::{WORLD, done, fails, fed, json, output, program, written};

/// Every file in `commands/` is a command.
#[test]
fn every_command_has_help_with_examples() {
    let mut n_commands = 0;
    for entry in fs_err::read_dir("src/commands").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none() {
            continue;
        }
        let command = path.file_stem().unwrap().to_str().unwrap();
        let help = done(&[command, "--help"]);
        assert!(help.contains("Example") && help.contains(&format!("cargo xtask {command}")), "{command}: {help}");
        n_commands += 1;
    }
    let listed = done(&["--help"]);
    let commands = &listed[listed.find("Commands:").unwrap()..listed.find("Options:").unwrap()];
    // `help` is clap's own; the first line is the title.
    assert_eq!(commands.trim().lines().count(), 1 + n_commands + 1, "{commands}");
}

#[test]
fn check_counts_and_its_exit_code_says_whether_lines_were_rejected() {
    let folder = TempDir::new().unwrap();
    let good =
        written(folder.path(), "good", "{\"type\":\"A\",\"time\":1,\"zone\":\"z\"}\n{\"type\":\"B\",\"time\":2}\n");
    let counts = json(&["check", &good]);
    assert_eq!((&counts["events"], &counts["rejected"]), (&2.into(), &0.into()));
    assert_eq!((&counts["types"]["A"], &counts["zones"]["z"]), (&1.into(), &1.into()));
    let bad = written(folder.path(), "bad", "{\"type\":\"A\",\"time\":1}\n{\"type\":\"A\"}\n");
    let found = output(&["check", &bad]);
    assert_eq!(found.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&found.stdout).contains("line 2: `time` is missing"));
    assert_eq!(output(&["check", &bad, "--strict"]).status.code(), Some(1));
    fails(&["check", &written(folder.path(), "empty", "")], 1, "holds no event");
    fails(&["check", "no-such-file"], 1, "no-such-file");
}

#[test]
fn wrong_words_are_wrong_use() {
    fails(&["dance"], 2, "unrecognized subcommand");
    fails(&["search", "--store", "s", "--run", "r"], 2, "--event");
    let both = ["search", "--store", "s", "--run", "r", "--id", "i", "--context", "c.jsonl"];
    fails(&both, 2, "cannot be used with");
    let world = &*WORLD;
    let pretrain = ["pretrain", "--data", &world.data(), "--out", &world.path("never")];
    fails(&["ablate", "--data", "d", "--out", "o", "--sets", "mep+dance"], 2, "no objective is called `dance`");
    let finetune = ["finetune", "--from", &world.run(), "--data", &world.data(), "--out", &world.path("never")];
    let wrong = |words: &[&str], want| fails(&[&finetune[..], words].concat(), 2, want);
    wrong(&["--task", "classify", "--recall", "0.5"], "`--recall` does nothing for `--task classify`");
    wrong(&["--task", "fall-risk", "--max-steps", "5"], "`--max-steps` does nothing for `--task fall-risk`");
    let nobody = [&finetune[..], &["--task", "fall-risk", "--head", "linear"]].concat();
    fails(&nobody, 1, "events with an `entity_id`");
    wrong(&["--task", "fall-risk", "--recall", "74"], "above 0 and at most 1");
    fails(&[&pretrain[..], &["--backend", "gpu"]].concat(), 2, "there are flex, ndarray, wgpu, cuda");
    fails(&[&pretrain[..], &["--backend", "cuda"]].concat(), 2, "not compiled in");
}

#[test]
fn a_run_is_classified_indexed_searched_and_evaluated() {
    let world = &*WORLD;
    let (data, run, store, classifier) = (world.data(), world.run(), world.path("store"), world.path("classifier"));
    let summary = json(&[
        "finetune",
        "--task",
        "classify",
        "--from",
        &run,
        "--data",
        &data,
        "--out",
        &classifier,
        "--max-steps",
        "5",
    ]);
    assert_eq!((&summary["outcome"], &summary["steps"]), (&"finished".into(), &5.into()));
    let built = json(&["index", "build", "--store", &store, "--run", &run, "--data", &data, "--kind", "hnsw"]);
    let n_events = built["new"].as_u64().unwrap();
    assert!(n_events > 1_000);
    assert_eq!(json(&["index", "build", "--store", &store, "--run", &run, "--data", &data])["new"], 0);
    let told = ["search", "--store", &store, "--run", &run, "--now", "2025-01-09", "-k", "3", "--text"];
    let found = json(&[&told[..], &["doors opened in dock_2 since yesterday during peak hours"]].concat());
    assert_eq!(found["interpreted"]["filter"], "time >= 2025-01-08 and type = DoorOpened and zone = dock_2");
    assert_eq!(found["interpreted"]["readings"][0]["words"], "peak hours");
    let hits = found["hits"].as_array().unwrap();
    assert!(
        hits.len() == 3 && hits.iter().all(|hit| hit["type"] == "DoorOpened" && hit["zone"] == "dock_2"),
        "{found}"
    );
    // A member of an event is no attribute.
    let found = json(&[&told[..], &["doors not in zones longer than 5"]].concat());
    assert_eq!(found["interpreted"]["filter"], "length > 5 and type in (DoorClosed, DoorOpened)");
    let few = done(&[&told[..], &["doors opened on 2024-05-01 in the gerage"]].concat());
    assert!(few.contains("0 events pass") && few.contains("without `on 2024-05-01`"), "{few}");
    assert!(few.contains("not understood: `gerage`"), "{few}");
    fails(&[&told[..], &["doors", "--evidence"]].concat(), 2, "`--evidence` does nothing for `--text`");
    fails(&[&told[..], &["hello"]].concat(), 1, "no word of the text names");
    assert_eq!(json(&["index", "stats", "--store", &store])["n_indexed"], n_events);
    assert_eq!(json(&["index", "verify", "--store", &store])["index_is_sound"], true);

    let damaged = world.path("store/index.faiss");
    fs_err::write(&damaged, "nonsense").unwrap();
    fails(&["index", "verify", "--store", &store, "--json"], 1, "");
    assert_eq!(fs_err::read(&damaged).unwrap(), b"nonsense", "a look changes nothing");
    json(&["index", "compact", "--store", &store]);
    assert_eq!(json(&["index", "verify", "--store", &store])["index_is_sound"], true);
    let exact = world.path("store-exact");
    let built = json(&["index", "build", "--store", &exact, "--run", &run, "--data", &data]);
    assert_eq!(built["stats"]["index"]["kind"], "exact", "so few are compared one by one");
    fails(
        &["index", "build", "--store", &exact, "--run", &run, "--data", &data, "--kind", "rabitq", "--m", "3"],
        2,
        "an index of kind `rabitq` has no setting `m`; it has bits, n-lists",
    );
    let added = json(&["index", "add", "--store", &exact, "--run", &run, "--data", &data]);
    assert_eq!(added["stats"]["index"]["kind"], "exact", "adding leaves the kind of the index as it is");

    let event = r#"{"type":"DoorOpened","zone":"dock_1","time":"2025-01-07T10:00:00Z"}"#;
    let search = ["search", "--store", &store, "--run", &run];
    let found = json(&[&search[..], &["--event", event, "-k", "7"]].concat());
    let hits = found["hits"].as_array().unwrap();
    assert_eq!(hits.len(), 7);
    assert!(["id", "similarity", "type", "zone", "time", "metadata"].iter().all(|member| !hits[0][member].is_null()));
    let text = done(&[&search[..], &["--id", hits[0]["id"].as_str().unwrap(), "--zone", "gate", "-k", "3"]].concat());
    assert_eq!(text.matches(" gate ").count(), 3, "{text}");
    fails(&[&search[..], &["--event", r#"{"type":"Flood","time":0}"#]].concat(), 1, "unknown type `Flood`; known are");
    fails(&[&search[..], &["--event", "{"]].concat(), 1, "--event");
    // What was before it, from a file and from the store; a file without its site says nothing of it.
    let known = r#"{"type":"DoorOpened","zone":"dock_1","site_id":"warehouse-01","time":"2025-01-07T10:00:00Z"}"#;
    let after = |flags: &[&str]| json(&[&search[..], &["--event", known, "-k", "3"], flags].concat())["hits"].clone();
    let events = format!("{data}/events.jsonl");
    assert_eq!(after(&["--context", &events])[0]["type"], after(&[])[0]["type"]);
    assert!(after(&[])[0]["similarity"].as_f64().unwrap() > hits[0]["similarity"].as_f64().unwrap());
    fails(&[&search[..], &["--event", event, "--context", &events]].concat(), 1, "no event of the site `default`");
    fails(
        &[&search[..], &["--event", event, "--zone", "roof"]].concat(),
        1,
        "no event in the store has the zone `roof`",
    );
    fails(&["search", "--store", &store, "--run", &classifier, "--event", event], 1, "built with the encoder");
    fails(&["search", "--store", &world.path("no-store"), "--run", &run, "--event", event], 1, "is no store");

    let report = json(&["eval", "--run", &classifier, "--from", &run, "--data", &data, "--out", &world.path("report")]);
    let rows = report["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 12);
    assert!(fs_err::read_to_string(world.path("report/report.html")).unwrap().contains("tf-idf"));
}

#[test]
fn a_memory_alone_is_fitted_indexed_and_searched() {
    let world = &*WORLD;
    let (run, store, data) = (world.path("memory"), world.path("memory-store"), world.data());
    let text = done(&["pretrain", "--encoder", "memory", "--data", &data, "--out", &run]);
    assert!(text.contains("a memory without an encoder"), "{text}");
    done(&["index", "build", "--store", &store, "--run", &run, "--data", &data, "--kind", "exact"]);
    let event = r#"{"type":"QueueFormed","zone":"loading_dock","time":"2025-01-07T10:23:45Z"}"#;
    let found = json(&["search", "--store", &store, "--run", &run, "--event", event, "-k", "5"]);
    assert_eq!(found["hits"].as_array().unwrap().len(), 5);
    let vectors = world.path("vectors.npy");
    let embed = ["embed", "--run", &run, "--data", &data, "--out", &vectors];
    let n_all = json(&embed)["vectors"].as_u64().unwrap();
    let of_part = |part| json(&[&embed[..], &["--part", part]].concat())["vectors"].as_u64().unwrap();
    assert_eq!(of_part("1/2") + of_part("2/2"), n_all);
    assert!(fs_err::metadata(world.path("vectors.ids.parquet")).is_ok());
    fails(&[&embed[..], &["--part", "3/2"]].concat(), 2, "wanted I/N");
    let tuned = ["finetune", "--task", "classify", "--from", &run, "--data", &data, "--out", &world.path("none")];
    fails(&tuned, 1, "has a memory and no encoder");
    fails(&["pretrain", "--encoder", "memoir", "--data", &data, "--out", &run], 2, "memory");
}

#[test]
fn a_missing_or_damaged_checkpoint_is_named() {
    let world = &*WORLD;
    let resume = |run: &str| ["pretrain", "--data", &world.data(), "--resume", run].map(String::from);
    let words = resume(&world.path("nothing"));
    fails(&words.each_ref().map(String::as_str), 1, "holds no run that can be used: `manifest.json` is not there");
    let copy = world.path("damaged");
    fs_err::create_dir_all(format!("{copy}/checkpoint")).unwrap();
    for name in ["config.toml", "tokenizer.json", "memory.json", "manifest.json"] {
        fs_err::copy(format!("{}/{name}", world.run()), format!("{copy}/{name}")).unwrap();
    }
    let words = resume(&copy);
    let words = words.each_ref().map(String::as_str);
    fails(&words, 1, "holds no checkpoint to resume from");
    fails(&[&words[..], &["--seed", "3"]].concat(), 2, "--seed");
    let bytes = fs_err::read(format!("{}/checkpoint/last.safetensors", world.run())).unwrap();
    fs_err::write(format!("{copy}/checkpoint/last.safetensors"), &bytes[..bytes.len() / 2]).unwrap();
    fails(&words, 1, "is damaged: not a complete safetensors file");
}

#[test]
fn a_seed_simulates_the_same_bytes() {
    let folder = TempDir::new().unwrap();
    let simulated = |name: &str, seed: &str| {
        let out = folder.path().join(name);
        let out = out.to_str().unwrap();
        done(&["simulate", "--scenario", "warehouse", "--sites", "1", "--days", "2", "--seed", seed, "--out", out]);
        fs_err::read(format!("{out}/events.jsonl")).unwrap()
    };
    assert_eq!(simulated("a", "7"), simulated("b", "7"));
    assert_ne!(simulated("c", "7"), simulated("d", "8"));
    let seven = folder.path().join("c");
    let (seven, eight) = (seven.to_str().unwrap(), ["--days", "2", "--seed", "8"]);
    let again = [&["simulate", "--scenario", "warehouse", "--sites", "1"], &eight[..], &["--out", seven]].concat();
    fails(&again, 1, "is there already: choose another folder, or give `--overwrite`");
}

#[test]
fn a_simulated_folder_holds_the_truth_beside_the_events() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("hospital");
    let words = ["simulate", "--scenario", "hospital", "--sites", "2", "--days", "5", "--seed", "3", "--noise", "real"];
    let told = json(&[&words[..], &["--malformed", "0.01", "--out", out.to_str().unwrap()]].concat());
    assert_eq!(told["calibration"][0]["published"], "3.56");
    let lines = |name: &str| fs_err::read_to_string(out.join(name)).unwrap().lines().count() as u64;
    assert_eq!(told["decisions"], lines("decisions.jsonl"));
    assert_eq!(told["entities"], lines("entities.jsonl"));
    assert_eq!(lines("relevance.jsonl"), lines("decisions.jsonl"));
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs_err::read(out.join("manifest.json")).unwrap()).unwrap();
    assert_eq!((&manifest["scenario"], &manifest["seed"]), (&"hospital".into(), &3.into()));
    assert_eq!(manifest["counts"]["events"], told["events"]);
    assert_eq!(manifest["events_sha256"].as_str().unwrap().len(), 64);
    assert_eq!(manifest["truth_sha256"].as_object().unwrap().len(), 4);
    // What was written is read again, but for the lines that broke off; the truth is no input.
    let checked = output(&["check", "--json", out.to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(3));
    let checked: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!((&checked["events"], &checked["rejected"]), (&told["events"], &told["malformed"]));
    assert!(told["malformed"].as_u64().unwrap() > 10);
    let site_map = out.join("site-map.toml");
    let placed = output(&["check", "--site-map", site_map.to_str().unwrap(), out.to_str().unwrap()]);
    assert_eq!(placed.status.code(), Some(3));
}

#[test]
fn a_simulation_is_written_as_a_table_or_streamed() {
    let folder = TempDir::new().unwrap();
    let words = ["simulate", "--scenario", "retail", "--sites", "2", "--days", "1", "--out"];
    let [lines, table] = ["lines", "table"].map(|name| folder.path().join(name));
    let written = json(&[&words[..], &[lines.to_str().unwrap()]].concat());
    done(&[&words[..], &[table.to_str().unwrap(), "--parquet"]].concat());
    let read = |path: &std::path::Path| json(&["check", path.to_str().unwrap()])["events"].clone();
    assert_eq!(read(&lines), written["events"]);
    assert_eq!(read(&table), written["events"]);
    let stream = output(&[&words[..], &["-", "--realtime", "1e9"]].concat());
    let text = String::from_utf8(stream.stdout).unwrap();
    assert_eq!(text.lines().count() as u64, written["events"].as_u64().unwrap());
    // The same events as in the file.
    let mut streamed: Vec<&str> = text.lines().collect();
    streamed.sort_unstable();
    let file = fs_err::read_to_string(lines.join("events.jsonl")).unwrap();
    let mut filed: Vec<&str> = file.lines().collect();
    filed.sort_unstable();
    assert_eq!(streamed, filed);
}

#[test]
fn a_stream_of_several_sites_is_in_order_of_arrival_over_midnight() {
    let words = ["simulate", "--scenario", "hospital", "--sites", "3", "--days", "3", "--out", "-"];
    let text = String::from_utf8(output(&words).stdout).unwrap();
    // Clocks differ by seconds and days end half an hour early; without noise an event arrives at its time.
    let time = |line: &str| -> chrono::DateTime<chrono::Utc> {
        serde_json::from_str::<serde_json::Value>(line).unwrap()["time"].as_str().unwrap().parse().unwrap()
    };
    let times: Vec<_> = text.lines().map(time).collect();
    let sites: std::collections::BTreeSet<&str> =
        text.lines().map(|line| &line[line.find("hospital-").unwrap()..][..11]).collect();
    assert_eq!(sites.len(), 3);
    assert!(times.len() > 1000 && times.is_sorted());
}

#[test]
fn what_cannot_be_simulated_is_said() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let out = out.to_str().unwrap();
    let wrong = folder.path().join("wrong.toml");
    let text = fs_err::read_to_string("../spaxiom-sim/scenarios/hospital.toml").unwrap();
    fs_err::write(&wrong, text.replace("occupancy = 0.8", "occupancy = 1.8")).unwrap();
    let words = ["simulate", "--scenario", "hospital", "--out", out];
    let constants = ["--constants", wrong.to_str().unwrap()];
    fails(&[&words[..], &constants[..]].concat(), 1, "`building.occupancy` has to be above 0 and below 1");
    fails(&[&words[..], &["--malformed", "0.1"]].concat(), 1, "`--malformed` needs `--noise real` or `--noise harsh`");
    fails(&[&words[..], &["--realtime", "10"]].concat(), 1, "it needs `--out -`");
    fails(&[&words[..], &["--realtime", "0"]].concat(), 2, "wanted a number above 0");
    fails(&["simulate", "--scenario", "airport", "--out", out], 2, "[possible values: hospital, warehouse, retail");
}

#[test]
fn a_benchmark_gives_rates_and_the_memory_of_the_stream() {
    let folder = TempDir::new().unwrap();
    let keep = folder.path().to_str().unwrap();
    let rows = json(&["bench", "--events", "2000", "--runs", "1", "--keep", keep]);
    let workloads: Vec<&str> = rows.as_array().unwrap().iter().map(|row| row["workload"].as_str().unwrap()).collect();
    assert_eq!(workloads, ["ingest", "validate", "tokenize", "memory of 2000 events", "memory of 20000 events"]);
    assert!(rows[0]["ours"].as_f64().unwrap() > 0.0 && rows[0]["ratio"].is_null());
    fails(&["bench", "--workload", "ingest", "--events", "10", "--peers", keep], 1, "there is no");
}

const HOME: &str = "2010-11-04 00:00:05 M001 ON Sleeping begin\n2010-11-04 00:00:01 M002 ON\nnonsense\n\
    2010-11-04 00:05:00 M001 OFF Sleeping end\n2010-11-04 00:00:02 M002 OFF\n2010-11-04 00:05:00 M001 OFF Sleeping end\n";

#[test]
fn what_is_converted_is_sorted_and_what_cannot_be_is_kept_apart() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let home = written(folder.path(), "home.txt", HOME);
    let (out, labels, bad) = (path("home.parquet"), path("labels.jsonl"), path("bad.jsonl"));
    let words = ["convert", &home, "--to", "parquet", "--out", &out, "--labels", &labels, "--quarantine", &bad];
    let found = output(&[&words[..], &["--allowed-lateness", "60", "--json"]].concat());
    assert_eq!(found.status.code(), Some(3), "{}", String::from_utf8_lossy(&found.stderr));
    let counts: serde_json::Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!(
        counts,
        // A line that is there twice is two events.
        serde_json::json!({"events": 4, "rejected": 2, "late": 1, "duplicates": 0, "left_out": 0, "labelled_spans": 1, "unpaired_marks": 1})
    );
    let kept = fs_err::read_to_string(&bad).unwrap();
    let kept: Vec<serde_json::Value> = kept.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (&kept[0]["line"], &kept[0]["offset"], &kept[0]["raw"]),
        (&3.into(), &HOME.find("nonsense").unwrap().into(), &"nonsense".into())
    );
    assert!(kept[1]["reason"].as_str().unwrap().contains("238 s later than allowed"), "{}", kept[1]);
    assert!(fs_err::read_to_string(&labels).unwrap().contains("\"label\":\"Sleeping\""));

    let again = path("again.jsonl.gz");
    done(&["convert", &out, "--to", "jsonl", "--out", &again]);
    assert_eq!(json(&["check", &again])["zones"], serde_json::json!({"M001": 3, "M002": 1}));
    let below_a_file = path("home.txt/folder.jsonl");
    fails(&["convert", &home, "--to", "jsonl", "--out", &below_a_file], 1, "home.txt");
}

#[test]
fn standard_input_folders_and_columns_are_inputs() {
    let counts: serde_json::Value = serde_json::from_slice(&fed(&["check", "-", "--json"], HOME).stdout).unwrap();
    assert_eq!((&counts["events"], &counts["rejected"], &counts["files"]["casas"]), (&5.into(), &1.into(), &1.into()));
    let folder = TempDir::new().unwrap();
    written(folder.path(), "a.csv", "when;what\n2025-01-06T10:00:00Z;DoorOpened\n");
    written(folder.path(), "b.csv", "when;what\n2025-01-06T11:00:00Z;DoorClosed\n");
    let path = folder.path().to_str().unwrap();
    let counts = json(&["check", path, "--columns", "time=when,type=what,site=@file"]);
    assert_eq!(counts["sites"], serde_json::json!({"a": 1, "b": 1}));
    fails(&["check", path, "--columns", "time=then,type=what"], 1, "no column `then`; there are `when`, `what`");
    fails(&["check", path, "--columns", "time"], 2, "wanted `member=column`");
    fails(&["check", path, "--time-zone", "Mars"], 1, "wanted one like `Europe/Berlin`");
    fails(&["check", path, "--format", "columns"], 1, "needs `--columns`");
}

#[test]
fn rejected_lines_are_told_by_every_command_that_reads() {
    let world = &*WORLD;
    let folder = TempDir::new().unwrap();
    let mut events = fs_err::read_to_string(format!("{}/events.jsonl", world.data())).unwrap();
    events.push_str("nonsense\n");
    let data = written(folder.path(), "events.jsonl", &events);
    let store = folder.path().join("store");
    let found = output(&["index", "build", "--store", store.to_str().unwrap(), "--run", &world.run(), "--data", &data]);
    assert_eq!(found.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&found.stderr).contains("1 lines were rejected; `check` says why"));
}

#[test]
fn the_doctor_says_what_to_do() {
    let folder = TempDir::new().unwrap();
    let twice = written(
        folder.path(),
        "twice",
        "{\"id\":\"1\",\"type\":\"A\",\"time\":1}\n{\"id\":\"1\",\"type\":\"A\",\"time\":1}\n",
    );
    let text = done(&["check", &twice]);
    assert!(text.contains("duplicates: 1 events") && text.contains("`convert` drops them"), "{text}");
    let kinds: Vec<String> = json(&["check", &twice])["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["kind"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds, ["duplicates", "unknown-type"]);
}

#[test]
fn texts_get_vectors_and_rank_what_passes_their_filter() {
    let world = &*WORLD;
    let (data, run, store, texts) = (world.data(), world.run(), world.path("texts-store"), world.path("texts"));
    done(&["index", "build", "--store", &store, "--run", &run, "--data", &data]);
    let finetune = ["finetune", "--task", "retrieval", "--from", &run, "--data", &data, "--out", &texts];
    fails(&[&finetune[..], &["--labels", "3"]].concat(), 2, "`--labels` does nothing for `--task retrieval`");
    let summary = json(&[&finetune[..], &["--max-steps", "10"]].concat());
    assert_eq!((&summary["steps"], &summary["n_types"]), (&10.into(), &9.into()));
    fails(&finetune, 1, "holds a run");
    let report = json(&["eval", "--run", &texts, "--data", &data, "--out", &world.path("texts-report")]);
    assert_eq!(report["sets"].as_array().unwrap().len(), 2);
    fails(&["eval", "--run", &texts, "--data", &data, "--skeptic"], 2, "does nothing for a run with a text encoder");
    let search = |run: &str| json(&["search", "--store", &store, "--run", run, "-k", "3", "--text", "trucks arriving"]);
    let (found, typical) = (search(&texts), search(&run));
    assert_eq!(found["ranked_by"], "vector of the text");
    assert_eq!(typical["ranked_by"], "most typical");
    assert_eq!(found["interpreted"], typical["interpreted"]);
    assert!(found["hits"].as_array().unwrap().iter().all(|hit| hit["type"] == "TruckArrived"), "{found}");
}

#[test]
fn what_comes_next_is_told_and_judged() {
    let world = &*WORLD;
    let (data, run) = (world.data(), world.run());
    let predict = ["predict", "--run", &run, "--data", &data];
    let told = json(&predict);
    let forecasts = told["forecasts"].as_array().unwrap();
    assert_eq!(forecasts.len(), 2);
    let first = &forecasts[0];
    assert_eq!(first["horizon_secs"], 1800.0);
    assert!(first["counts"][0]["expected"].as_f64().unwrap() > 0.0 && first["next"][0]["probability"].is_f64());
    let site = first["site"].as_str().unwrap();
    let text = done(&[&predict[..], &["--site", site, "--horizon", "1h", "--top", "2"]].concat());
    assert!(text.contains("in the next 1h") && text.contains("hourly mean"), "{text}");
    fails(&[&predict[..], &["--horizon", "soon"]].concat(), 2, "wanted a time such as `30m`");
    fails(&[&predict[..], &["--at", "noon"]].concat(), 2, "`--at` wants a time such as");
    let earlier = json(&[&predict[..], &["--site", site, "--at", "2025-01-09T12:00"]].concat());
    assert!(earlier["forecasts"][0]["after"]["time"].as_str().unwrap() <= "2025-01-09T12:00", "{earlier}");
    fails(&[&predict[..], &["--site", "elsewhere"]].concat(), 1, "no event of the site `elsewhere`");
    fails(&[&predict[..], &["--horizon", "6days"]].concat(), 1, "no site has enough of a past");
}

#[test]
fn an_address_with_a_password_is_never_repeated() {
    let run = WORLD.run();
    let stream = ["stream", "--run", &run, "--store"];
    for (store, source, want) in [
        ("postgres://ann:hunter2@/x y?schema=B", "-", "`--store`: the schema `B`"),
        ("postgres://ann:hunter2@host:x/db", "-", "`--store`: the address of a store is"),
        ("folder", "mqtt://me:hunter2@", "`--source`"),
    ] {
        let output = output(&[&stream[..], &[store, "--source", source]].concat());
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && text.contains(want), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
    let alerts = [&stream[..], &["folder", "--source", "-", "--alerts", "amqp://me:hunter2@broker"]].concat();
    let text = String::from_utf8_lossy(&output(&alerts).stderr).into_owned();
    assert!(text.contains("`--alerts`") && !text.contains("hunter2"), "{text}");
    let away = "postgres://ann:hunter2@127.0.0.1:1/db?connect_timeout=1";
    let text = String::from_utf8_lossy(&output(&["index", "stats", "--store", away]).stderr).into_owned();
    assert!(text.contains("cannot be reached") && !text.contains("hunter2"), "{text}");
    fails(&["index", "verify", "--store", away], 2, "`index verify` is for stores in folders");
}

/// While a stream goes on its figures can be asked for.
#[test]
fn a_stream_serves_its_figures() {
    let (run, store) = (WORLD.run(), WORLD.path("measured-store"));
    let mut child = Command::new(program())
        .args(["stream", "--run", &run, "--store", &store, "--source", "-", "--metrics", "127.0.0.1:0"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let address = log.find_map(|line| Some(line.unwrap().split_once("http://")?.1.to_owned())).unwrap();
    let mut input = child.stdin.take().unwrap();
    let events = fs_err::read_to_string(format!("{}/events.jsonl", WORLD.data())).unwrap();
    for line in events.lines().take(40) {
        writeln!(input, "{line}").unwrap();
    }
    writeln!(input, "no event").unwrap();
    let figures = || ureq::get(format!("http://{address}")).call().unwrap().body_mut().read_to_string().unwrap();
    let has_all = |text: &String| {
        ["new_total 40\n", "rejected_total 1\n", "spaxiom_stream_lag_seconds "].iter().all(|want| text.contains(want))
    };
    let mut text = figures();
    for _ in 0..100 {
        if has_all(&text) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
        // A line that is no event is told with the next commit.
        writeln!(input, "{}", events.lines().next().unwrap()).unwrap();
        text = figures();
    }
    assert!(has_all(&text), "{text}");
    drop(input);
    assert_eq!(child.wait().unwrap().code(), Some(3), "a line was rejected");
}
