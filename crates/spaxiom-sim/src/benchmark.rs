//! The event file of the `ingest` benchmark: the same bytes as the generator of its Python peers.
//!
//! 28 days from Monday 2026-01-05 on, 4 sites of 60 zones (10 x 6 squares of 6 m), 2,000 entities of which few do much;
//! events come in bursts, and 1 % of them up to 30 s late. Every random number is splitmix64 of (seed, stream, index),
//! so that a program in any language makes the same file.

use std::io::{self, Write};

use chrono::{DateTime, SecondsFormat};

/// 2026-01-05T00:00:00Z.
const START_MS: i64 = 1_767_571_200_000;

const N_DAYS: i64 = 28;
const N_ENTITIES: usize = 2000;
const N_TYPES: i64 = 40;
const N_SITES: i64 = 4;
const N_ZONES: i64 = 60;

const TYPES: [&str; 10] = [
    "queue_len",
    "dwell",
    "line_cross",
    "dock_wait",
    "lift_call",
    "pallet_scan",
    "gate_pass",
    "till_open",
    "cart_return",
    "belt_stop",
];

/// Events are kept in memory to be sorted, this many bytes each.
#[derive(Debug, Clone, Copy)]
struct Row {
    arrival_ms: i64,
    time_ms: i64,
    kind: i64,
    entity: usize,
    zone: i64,
    x: f64,
    y: f64,
    length: i64,
    wait_secs: f64,
}

/// Writes `n_events` as JSON lines in the order in which they arrive.
pub fn write_benchmark_events(mut out: impl Write, n_events: usize, seed: u64) -> io::Result<()> {
    let random = Random { seed };
    let entities = Entities::new(random, n_events);
    let mut rows: Vec<Row> = (0..n_events).map(|i| row(random, &entities, i)).collect();
    // Stable: events of one millisecond stay in order of their numbers.
    rows.sort_by_key(|row| row.arrival_ms);
    for (i, row) in rows.iter().enumerate() {
        write_row(&mut out, i, row)?;
    }
    Ok(())
}

/// Random numbers by (stream, index).
#[derive(Debug, Clone, Copy)]
struct Random {
    seed: u64,
}

impl Random {
    fn bits(self, stream: u64, index: u64) -> u64 {
        let mut z = index
            .wrapping_add(stream.wrapping_mul(0xD1B5_4A32_D192_ED03))
            .wrapping_add(self.seed.wrapping_mul(0x8CB9_2BA7_2F3D_8DD7));
        z = z.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in [0, 1).
    fn unit(self, stream: u64, index: usize) -> f64 {
        (self.bits(stream, index as u64) >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// One of `0..n`.
    fn pick(self, stream: u64, index: usize, n: i64) -> i64 {
        whole(self.unit(stream, index) * n as f64).min(n - 1)
    }
}

/// How busy each entity is.
struct Entities {
    cumulative: Vec<f64>,
    n_events: Vec<usize>,
}

impl Entities {
    fn new(random: Random, n_events: usize) -> Self {
        let weight = |entity| ((0..12).map(|k| random.unit(100 + k, entity)).fold(0.0, |sum, u| sum + u) - 6.0).exp();
        let mut sum = 0.0;
        let mut cumulative: Vec<f64> = (0..N_ENTITIES)
            .map(|entity| {
                sum += weight(entity);
                sum
            })
            .collect();
        for value in &mut cumulative {
            *value /= sum;
        }
        let mut entities = Self { cumulative, n_events: vec![0; N_ENTITIES] };
        for i in 0..n_events {
            let entity = entities.of(random, i);
            entities.n_events[entity] += 1;
        }
        entities
    }

    fn of(&self, random: Random, i: usize) -> usize {
        let u = random.unit(1, i);
        self.cumulative.partition_point(|value| *value <= u).min(N_ENTITIES - 1)
    }
}

fn row(random: Random, entities: &Entities, i: usize) -> Row {
    let entity = entities.of(random, i);
    let session = index(whole(random.unit(2, i) * (entities.n_events[entity] / 8).max(1) as f64));
    let key = entity * 100_000 + session;
    let hour = 6.0 + 14.0 * (random.unit(3, key) + random.unit(4, key)) / 2.0;
    let start = random.pick(5, key, N_DAYS) * 86_400_000 + whole(hour * 3_600_000.0);
    let time_ms = START_MS + start + whole(-(-random.unit(6, i)).ln_1p() * 300_000.0);
    let site = site_of(entity);
    let is_home = random.unit(7, i) < 0.5;
    let zone = if is_home { random.pick(8, entity, N_ZONES) } else { random.pick(9, i, N_ZONES) };
    let favorite = index((site * N_ZONES + zone) * 8 + random.pick(11, i, 5));
    let kind = if random.unit(12, i) < 0.6 {
        random.pick(10, favorite, N_TYPES)
    } else {
        whole(N_TYPES as f64 * random.unit(13, i).powi(2))
    };
    let is_late = random.unit(18, i) < 0.01;
    let late_ms = if is_late { whole(random.unit(19, i) * 30_000.0) } else { 0 };
    Row {
        arrival_ms: time_ms + late_ms,
        time_ms,
        kind,
        entity,
        zone,
        x: cents((zone % 10 * 6) as f64 + 6.0 * random.unit(14, i)),
        y: cents((zone / 10 * 6) as f64 + 6.0 * random.unit(15, i)),
        length: whole(random.unit(16, i).powi(3) * 60.0) + kind % 7,
        wait_secs: cents(-(-random.unit(17, i)).ln_1p() * (20 + 10 * (kind % 5)) as f64),
    }
}

fn write_row(out: &mut impl Write, i: usize, row: &Row) -> io::Result<()> {
    let Row { arrival_ms: _, time_ms, kind, entity, zone, x, y, length, wait_secs } = *row;
    let time = DateTime::from_timestamp_millis(time_ms).expect("28 days of 2026");
    let time = time.to_rfc3339_opts(SecondsFormat::Millis, true);
    let (name, site) = (TYPES[index(kind) % TYPES.len()], site_of(entity));
    write!(out, r#"{{"id":"e{i:09}","type":"{name}_{kind:02}","timestamp":"{time}","site_id":"site-{site}","#)?;
    write!(out, r#""zone":"zone-{zone:02}","x":{x:?},"y":{y:?},"entity_id":"ent-{entity:04}","attrs":{{"#)?;
    if kind < 15 {
        write!(out, "\"length\":{length}")?;
    }
    if kind < 10 || (15..20).contains(&kind) {
        let comma = if kind < 15 { "," } else { "" };
        write!(out, "{comma}\"wait_time_s\":{wait_secs:?}")?;
    }
    out.write_all(b"}}\n")
}

fn site_of(entity: usize) -> i64 {
    i64::try_from(entity).expect("entities are few") % N_SITES
}

/// Rounds to two digits, halves to even as NumPy does.
fn cents(value: f64) -> f64 {
    (value * 100.0).round_ties_even() / 100.0
}

#[expect(clippy::cast_possible_truncation, reason = "everything here is far below 2^53")]
fn whole(value: f64) -> i64 {
    value as i64
}

fn index(value: i64) -> usize {
    usize::try_from(value).expect("nothing here is negative")
}
