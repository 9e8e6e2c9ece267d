//! `predict`: what comes next at each site.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::Context;
use chrono::{DateTime, TimeDelta};
use clap::Args;
use serde_json::json;
use spaxiom_embedding::{
    Backtest, EmbeddingError, Forecast, ForecastInput, ForecastOptions, Interval, Moment, Run, SiteId, VectorName,
    forecast,
};

use crate::args::{BackendArgs, DataArgs, vector_parser};
use crate::exit::{Exit, WrongUse};
use crate::{observer, output, unknown};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask predict --run runs/warehouse --data data/warehouse --horizon 30m\n  \
    cargo xtask predict --run runs/warehouse --data data/warehouse --site warehouse-03 --at 2025-01-20T10:00\n  \
    cargo xtask predict --run runs/home --data home.txt --horizon 2h --top 5 --json\n\n\
    Fits one model per site on its past, and backtests it on the last fifth of that past against the hourly mean, the last\n\
    period and n-grams. The data need several days of each site.")]
pub(crate) struct PredictArgs {
    /// Run whose vectors are the features
    #[arg(long)]
    run: PathBuf,
    #[command(flatten)]
    data: DataArgs,
    /// Count events this far ahead, such as `30m` or `2h`
    #[arg(long, value_name = "DURATION", value_parser = horizon, default_value = "30m")]
    horizon: TimeDelta,
    /// Predict this site only [default: every site of the data]
    #[arg(long, value_name = "SITE")]
    site: Option<SiteId>,
    /// Predict from this time, on the site's clock unless it has an offset, and ignore later events [default: end of the data]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Rows of each table
    #[arg(long, value_name = "N", default_value_t = 8)]
    top: usize,
    /// Fit on at most this many past moments, evenly spread
    #[arg(long, value_name = "N", default_value_t = ForecastOptions::default().max_moments)]
    max_moments: usize,
    /// Parts of the vectors
    #[arg(long, value_parser = vector_parser(), default_value = "both")]
    vector: VectorName,
    /// Random seed
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    backend: BackendArgs,
}

/// At least a second, and at most a week.
fn horizon(text: &str) -> Result<TimeDelta, String> {
    let wanted = || format!("wanted a time such as `30m`, `2h` or `1h 30m`, from a second to a week, got `{text}`");
    let horizon = humantime::parse_duration(text).ok().and_then(|horizon| TimeDelta::from_std(horizon).ok());
    horizon.filter(|horizon| (TimeDelta::seconds(1)..=TimeDelta::weeks(1)).contains(horizon)).ok_or_else(wanted)
}

pub(crate) fn run(args: &PredictArgs, json: bool) -> anyhow::Result<Exit> {
    let run = Run::open(&args.run)?;
    let engine = args.backend.engine_for(&run)?;
    let data = args.data.load()?;
    let vectors = run.vectors(engine.as_ref(), args.vector)?.with_sites(data.sites());
    unknown::warn_of_data(&run, vectors.tokenizer(), &data);
    let sites: Vec<SiteId> = args.site.clone().map_or_else(|| data.site_ids().cloned().collect(), |site| vec![site]);
    let at = args.at.as_deref().map(moment).transpose()?;
    let bar = observer::counter("predict", sites.len());
    let mut forecasts = Vec::new();
    for site in &sites {
        let clock = data.sites().time_zone(site.as_str()).unwrap_or(chrono_tz::UTC);
        let options = ForecastOptions {
            horizon: args.horizon,
            at: at.map(|at| DateTime::from_timestamp_nanos(at.nanoseconds(clock))),
            max_moments: args.max_moments,
            seed: args.seed,
        };
        match forecast(&ForecastInput { vectors: &vectors, data: &data, site }, &options) {
            Ok(forecast) => forecasts.push(forecast),
            // Other sites may have more of a past.
            Err(error @ EmbeddingError::ShortHistory { .. }) if sites.len() > 1 => tracing::warn!("{error}"),
            Err(error) => return Err(error.into()),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    anyhow::ensure!(!forecasts.is_empty(), "no site has enough of a past: give more of it, or a shorter horizon");
    if json {
        output::json(&json!({"forecasts": forecasts})).context("the forecasts")?;
    } else {
        let texts: Vec<String> = forecasts.iter().map(|forecast| text(forecast, args.top)).collect();
        output::text(&texts.join("\n"));
    }
    Ok(Exit::of_rejected(data.n_rejected() as u64, false))
}

fn moment(text: &str) -> Result<Moment, WrongUse> {
    let wanted = "a time such as `2025-01-20T10:00` or `2025-01-20T10:00:00Z`";
    Moment::parse(text).ok_or_else(|| WrongUse(format!("`--at` wants {wanted}, got `{text}`")))
}

/// Tables of one site.
fn text(forecast: &Forecast, top: usize) -> String {
    let Forecast { site, after, horizon_secs, next, counts, backtest } = forecast;
    let zone = after.zone.as_deref().map(|zone| format!(" in {zone}")).unwrap_or_default();
    let mut text = format!("{site}: after {}{zone} at {}\n\n", after.kind, after.time);
    let _ = writeln!(text, "  {:<24} {:<20} {:>8}  {:>11}", "next event", "zone", "chance", "median wait");
    for chance in next.iter().take(top) {
        let zone = chance.zone.as_deref().unwrap_or("-");
        let wait = chance.median_wait_secs.map_or_else(|| "-".to_owned(), duration);
        let percent = 100.0 * chance.probability;
        let _ = writeln!(text, "  {:<24} {zone:<20} {percent:>6.1} %  {wait:>11}", chance.kind);
    }
    let within = format!("in the next {}", duration(*horizon_secs));
    let _ = writeln!(text, "\n  {within:<24} {:<20} {:>8}  {:>11} {:>8}", "zone", "expected", "80 % range", "hourly");
    for count in counts.iter().take(top) {
        let zone = count.zone.as_deref().unwrap_or("-");
        let range = format!("{:.0} to {:.0}", count.low.floor(), count.high.ceil());
        let (expected, usual) = (count.expected, count.usual);
        let _ = writeln!(text, "  {:<24} {zone:<20} {expected:>8.1}  {range:>11} {usual:>8.1}", count.kind);
    }
    text + &judged(backtest)
}

/// How good it has been, in a few lines.
fn judged(backtest: &Backtest) -> String {
    let Backtest { n_learned, n_judged, next, counts } = backtest;
    let interval = |Interval { mean, low, high, .. }: Interval| format!("{mean:.3} [{low:.3}, {high:.3}]");
    format!(
        "\n  backtest: fitted on {n_learned} moments, tested on {n_judged} later ones\n  \
        next event: accuracy {}, {}-gram {}; log-likelihood {}, {}\n  \
        counts: squared error {}, hourly mean {}, last period {}; {:.0} % within their ranges\n  {}\n",
        interval(next.accuracy),
        next.n_gram_reads + 1,
        interval(next.n_gram_accuracy),
        interval(next.log_likelihood),
        interval(next.n_gram_log_likelihood),
        interval(counts.forecast),
        interval(counts.usual),
        interval(counts.as_before),
        100.0 * counts.within_range,
        backtest.verdict(),
    )
}

/// Rounded as a person would say it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds of a week at most")]
fn duration(secs: f64) -> String {
    let secs = if secs < 60.0 { secs.round() } else { (secs / 60.0).round() * 60.0 };
    humantime::format_duration(std::time::Duration::from_secs(secs as u64)).to_string()
}
