//! Kills a process that writes a store, again and again, and checks that nothing acknowledged was lost.
//!
//! `cargo xtask soak` runs it; alone: `cargo run --package spaxiom-index --example soak -- ROUNDS [SEED [WRAPPER...]]`.
//! A wrapper is put before the program, such as `fiu-run -x -c "enable_random name=posix/io/sync/fdatasync,probability=0.05"`.
//!
//! The writer does steps that follow from their number, and prints a line when one is acknowledged.
//! After a kill the store has to hold what the acknowledged steps left, or that and the step after them: nothing else.
#![expect(clippy::print_stdout, reason = "a program of its own, which prints")]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spaxiom_index::{Filter, IndexError, RaBitQ, Record, Store, StoreHeader, normalize};

type Failure = Box<dyn Error>;

const DIM: usize = 16;

/// Records that exist or do not.
const N_IDS: u64 = 400;

/// Steps of a writer that nobody kills.
const N_STEPS: u64 = 400;

/// Records by id: version and vector.
type Model = BTreeMap<String, (u64, Vec<f32>)>;

/// What a step does.
#[derive(Debug)]
enum Step {
    Add(Vec<Record>),
    Put(Vec<Record>),
    Delete(String, String),
    Build,
    Compact,
    Snapshot,
    Reopen,
}

fn step(number: u64) -> Step {
    let mut rng = ChaCha8Rng::seed_from_u64(number);
    let mut records = |n: u64| (0..n).map(|_| record(rng.random_range(0..N_IDS), number)).collect();
    match number % 20 {
        1 | 11 => Step::Put(records(5)),
        3 | 13 | 17 => {
            let Record { site, id, .. } = record(number * 7 % N_IDS, 0);
            Step::Delete(site, id)
        }
        5 => Step::Build,
        8 => Step::Compact,
        10 => Step::Snapshot,
        15 => Step::Reopen,
        _ => Step::Add(records(20)),
    }
}

fn record(id: u64, version: u64) -> Record {
    let mut rng = ChaCha8Rng::seed_from_u64(1_000_000 * id + version);
    let mut vector: Vec<f32> = (0..DIM).map(|_| rng.random_range(-1.0..1.0)).collect();
    normalize(&mut vector, DIM);
    Record {
        id: format!("event-{id}"),
        site: format!("site-{}", id % 3),
        kind: "DoorOpened".into(),
        zone: None,
        time_ns: i64::try_from(id).unwrap_or(0),
        metadata: format!("{{\"version\":{version}}}"),
        vector,
    }
}

/// The only number in a record's metadata.
fn version(record: &Record) -> u64 {
    let digits: String = record.metadata.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(u64::MAX)
}

fn apply(model: &mut Model, step: &Step) {
    let value = |record: &Record| (version(record), record.vector.clone());
    match step {
        Step::Add(records) => {
            for record in records {
                model.entry(record.id.clone()).or_insert_with(|| value(record));
            }
        }
        Step::Put(records) => model.extend(records.iter().map(|record| (record.id.clone(), value(record)))),
        Step::Delete(_, id) => drop(model.remove(id)),
        Step::Build | Step::Compact | Step::Snapshot | Step::Reopen => (),
    }
}

fn header() -> StoreHeader {
    StoreHeader { dim: DIM, tokenizer: "soak".into(), encoder: "soak".into() }
}

fn open(folder: &Path) -> Result<Store, IndexError> {
    Store::open_or_create(&folder.join("store"), &header(), Arc::new(RaBitQ::default()))
}

/// Does steps from `first` on, and prints the number of each that is acknowledged.
fn write(folder: &Path, first: u64) -> Result<(), Failure> {
    let mut store = open(folder)?;
    for number in first..first + N_STEPS {
        match step(number) {
            Step::Add(records) => {
                store.add(records)?;
            }
            Step::Put(records) => {
                store.put(records)?;
            }
            Step::Delete(site, id) => {
                store.delete(&site, &[&id])?;
            }
            Step::Build => {
                store.build(&())?;
            }
            Step::Compact => {
                store.compact(&())?;
            }
            Step::Snapshot => {
                let copy = folder.join(format!("copy-{number}"));
                if copy.exists() {
                    fs_err::remove_dir_all(&copy)?;
                }
                store.snapshot(&copy)?;
            }
            Step::Reopen => store = open(folder)?,
        }
        println!("{number}");
        std::io::stdout().flush()?;
    }
    Ok(())
}

/// What is wrong with a store that has to hold one of two states.
fn disagreement(store: &Store, states: [&Model; 2]) -> Result<Option<String>, Failure> {
    let report = store.verify()?;
    if report.database != "ok" || report.n_bad_vectors + report.n_misplaced > 0 {
        return Ok(Some(format!("{report:?}")));
    }
    let mut found = Model::new();
    for id in 0..N_IDS {
        let Record { id, .. } = record(id, 0);
        if let Some(stored) = store.get(&id)? {
            found.insert(id, (version(&stored), stored.vector));
        }
    }
    let near = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-3);
    let agrees = |state: &Model| {
        state.len() == found.len()
            && state.iter().zip(&found).all(|(a, b)| a.0 == b.0 && a.1.0 == b.1.0 && near(&a.1.1, &b.1.1))
    };
    if !states.iter().any(|state| agrees(state)) {
        let n_of = states.map(Model::len);
        return Ok(Some(format!("{} records, which are none of the states of {n_of:?}", found.len())));
    }
    // A search finds the record itself, whether it is in the index or not.
    store.wait_for_index();
    for (id, (_, vector)) in found.iter().step_by(17) {
        let hits = store.search(vector, 1, &Filter::All)?;
        if hits.first().is_none_or(|hit| hit.record.id != *id) {
            return Ok(Some(format!("`{id}` is not its own nearest")));
        }
    }
    Ok(None)
}

/// Starts a writer, kills it after a while, and gives the step after the last that it acknowledged.
fn killed(folder: &Path, first: u64, after: Duration, wrapper: &[String]) -> Result<u64, Failure> {
    let program = std::env::current_exe()?;
    let (command, words) = match wrapper.split_first() {
        Some((command, words)) => (PathBuf::from(command), [words, &[program.display().to_string()]].concat()),
        None => (program, Vec::new()),
    };
    let mut child = Command::new(command)
        .args(words)
        .args(["write", &folder.display().to_string(), &first.to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let out = BufReader::new(child.stdout.take().ok_or("the output of the writer")?);
    std::thread::sleep(after);
    // One that has ended by itself, as after a failing disk, is as good.
    let _ = child.kill();
    child.wait()?;
    let last = out.lines().map_while(Result::ok).filter_map(|line| line.parse::<u64>().ok()).last();
    Ok(last.map_or(first, |last| last + 1))
}

fn soak(rounds: u64, seed: u64, wrapper: &[String]) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut model, mut next, mut n_between) = (Model::new(), 0, 0);
    for round in 0..rounds {
        let after = Duration::from_millis(rng.random_range(5..250));
        let first = next;
        next = killed(folder.path(), first, after, wrapper)?;
        (first..next).for_each(|number| apply(&mut model, &step(number)));
        let mut with_next = model.clone();
        apply(&mut with_next, &step(next));
        let store = open(folder.path())?;
        if let Some(wrong) = disagreement(&store, [&model, &with_next])? {
            return Err(format!("round {round}, after step {next}: {wrong}").into());
        }
        // The step after the last acknowledged one is done or not; from here on it is done.
        let n_before = store.stats()?.n_vectors;
        match step(next) {
            Step::Add(records) => {
                store.add(records)?;
            }
            Step::Put(records) => {
                store.put(records)?;
            }
            Step::Delete(site, id) => {
                store.delete(&site, &[&id])?;
            }
            _ => (),
        }
        n_between += u64::from(n_before == with_next.len() && with_next.len() != model.len());
        (model, next) = (with_next, next + 1);
        for copy in fs_err::read_dir(folder.path())?.filter_map(Result::ok).map(|entry| entry.path()) {
            if copy.file_name().is_some_and(|name| name.to_string_lossy().starts_with("copy-")) {
                let report = Store::inspect(&copy)?.verify()?;
                if report.database != "ok" || report.n_bad_vectors + report.n_misplaced > 0 {
                    return Err(format!("the snapshot {}: {report:?}", copy.display()).into());
                }
                fs_err::remove_dir_all(&copy)?;
            }
        }
    }
    println!(
        "{rounds} kills, {next} steps, {} records: all acknowledged are there; \
         {n_between} times the step that was not acknowledged was there too",
        model.len()
    );
    Ok(())
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["write", folder, first] => {
            first.parse().map_err(Failure::from).and_then(|first| write(Path::new(folder), first))
        }
        [] => soak(20, 0, &[]),
        [rounds] => rounds.parse().map_err(Failure::from).and_then(|rounds| soak(rounds, 0, &[])),
        [rounds, seed, ..] => match (rounds.parse(), seed.parse()) {
            (Ok(rounds), Ok(seed)) => soak(rounds, seed, &words[2..]),
            _ => Err("wanted ROUNDS [SEED [WRAPPER...]]".into()),
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
