//! Medians of repeated runs, and peak memory.

use std::time::Instant;

use anyhow::Context;

/// Now.
#[expect(clippy::disallowed_methods, reason = "benchmarks measure time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Median of the rates of some runs, after a warm-up run.
pub(crate) fn median_rate(
    runs: u32,
    n_events: usize,
    mut work: impl FnMut() -> anyhow::Result<()>,
) -> anyhow::Result<f64> {
    work()?;
    let mut rates = Vec::new();
    for _ in 0..runs {
        let start = now();
        work()?;
        rates.push(n_events as f64 / start.elapsed().as_secs_f64());
    }
    rates.sort_by(f64::total_cmp);
    Ok(rates[rates.len() / 2])
}

/// Median of the milliseconds of some runs, after a warm-up run.
pub(crate) fn median_ms(runs: u32, work: impl Fn()) -> f64 {
    work();
    median((0..runs).map(|_| {
        let start = now();
        work();
        start.elapsed().as_secs_f64() * 1000.0
    }))
}

/// The median; the upper one of an even number.
pub(crate) fn median(times: impl Iterator<Item = f64>) -> f64 {
    let mut times: Vec<f64> = times.collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The most memory that this process ever had resident, in MiB.
pub(crate) fn peak_mib() -> anyhow::Result<f64> {
    let status = fs_err::read_to_string("/proc/self/status").context("peak memory is measured on Linux only")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("`VmHWM` in /proc/self/status")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().context("`VmHWM` in kB")?;
    Ok(kib / 1024.0)
}
