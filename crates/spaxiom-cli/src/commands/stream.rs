//! `stream`: events as they come, into a store, and alerts out.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, Utc};
use clap::Args;
use indicatif::ProgressBar;
use serde_json::json;
use spaxiom_embedding::{Rejected, Run, Sites};
use spaxiom_stream::{
    AlertAddress, NatsPublisher, NatsSubject, SourceAddress, StreamError, StreamObserver, StreamOptions, StreamSummary,
    TopicPattern, Worker,
};

use crate::args::{AlertArgs, BackendArgs, ReadArgs, StoreArgs, Unechoed, open_sinks};
use crate::exit::{Exit, WrongUse};
use crate::input::Quarantine;
use crate::{clock, output, stop};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask stream --run runs/warehouse --store stores/live --source today.jsonl\n  \
    tail -f events.jsonl | cargo xtask stream --run runs/warehouse --store stores/live --source -\n  \
    cargo xtask stream --run runs/warehouse --store stores/live --source 'mqtt://broker/building/+/events' \\\n    \
    --topic 'building/{zone}/events' --alerts stdout --alerts mqtt://broker\n  \
    cargo xtask stream --run runs/falls --store stores/wards --source wards.jsonl --alerts file:alerts.jsonl\n\n\
    A restart with the same store goes on where the last commit ended: nothing is lost, stored or told twice.\n\
    The password of a broker is read from SPAXIOM_MQTT_PASSWORD or --password-file. docs/streams.md has the rules of alerts."
)]
pub(crate) struct StreamArgs {
    /// Run that makes the vectors; one of `finetune --task fall-risk` judges risks too
    #[arg(long)]
    pub(crate) run: PathBuf,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// Where events come from: `-`, a file, `mqtt://[USER@]HOST[:PORT]/TOPIC` or `nats://[USER@]HOST[:PORT]/STREAM[/SUBJECT]`
    #[arg(long, value_name = "SOURCE")]
    pub(crate) source: Unechoed<SourceAddress>,
    /// What the parts of a topic are, such as building/{zone}/{type}
    #[arg(long, value_name = "PATTERN")]
    pub(crate) topic: Option<TopicPattern>,
    /// Name that a broker keeps what is not acknowledged under [default: made of the store's path]
    #[arg(long, value_name = "NAME")]
    pub(crate) client: Option<String>,
    #[command(flatten)]
    pub(crate) alerts: AlertArgs,
    /// Events of one commit at most
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub(crate) commit_events: usize,
    /// Serve figures for Prometheus at this address, under /metrics
    #[arg(long, value_name = "ADDR")]
    pub(crate) metrics: Option<SocketAddr>,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    /// Keep what is no event, with the reason: in this file, or as messages of `nats://[USER@]HOST[:PORT]/SUBJECT`
    #[arg(long, value_name = "DEST", help_heading = "Reading events")]
    pub(crate) quarantine: Option<Unechoed<QuarantinePlace>>,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
}

/// Where what is no event is kept.
#[derive(Debug, Clone)]
pub(crate) enum QuarantinePlace {
    File(PathBuf),
    Subject(NatsSubject),
}

impl FromStr for QuarantinePlace {
    type Err = StreamError;

    fn from_str(text: &str) -> Result<Self, StreamError> {
        if text.starts_with("nats://") {
            return text.parse().map(Self::Subject);
        }
        Ok(Self::File(text.into()))
    }
}

pub(crate) fn run(args: &StreamArgs, json: bool) -> anyhow::Result<Exit> {
    let source = args.source.get("--source")?;
    let alerts = args.alerts.addresses()?;
    if args.topic.is_some() && !source.is_live() {
        return Err(WrongUse("`--topic` is for messages of a broker: leave it out".into()).into());
    }
    if alerts.contains(&AlertAddress::Stdout) && json {
        return Err(WrongUse(
            "`--json` and `--alerts stdout` both want standard output: use `--alerts file:PATH`".into(),
        )
        .into());
    }
    let run = Run::open(&args.run)?;
    let engine = args.backend.engine_for(&run)?;
    let options = args.read.options()?;
    let sites = options.site_map.as_ref().map(|map| Sites::new(map, options.time_zone));
    let place = args.store.place()?;
    let (pipeline, risk) = place.go_on(&run, engine.as_ref(), sites.as_ref())?;
    let rules = args.alerts.is_given().then(|| args.alerts.rules()).transpose()?;
    let password = args.alerts.password()?;
    let client = args.client.clone().unwrap_or_else(|| place.client());
    let sinks = open_sinks(&alerts, &client, password.as_deref())?;
    let options_of_stream = StreamOptions {
        commit_events: args.commit_events,
        rules,
        is_live: matches!(source, SourceAddress::Mqtt(_)),
        ..StreamOptions::default()
    };
    let mut worker = Worker::new(&pipeline, risk.as_ref(), options_of_stream, sinks)?;
    let mut feed = source.open(&client, password.as_deref(), args.topic.as_ref(), options)?;
    let mut observer = Terminal::new(args, &client)?;
    let summary = worker.run(&mut feed, &mut observer)?;
    let n_rejected = observer.finish()?;
    told(&summary, worker.alerts().map_or(0, spaxiom_stream::AlertBook::n_beyond_budget), json)?;
    Ok(Exit::of_rejected(n_rejected, false))
}

fn told(summary: &StreamSummary, n_beyond_budget: u64, json: bool) -> anyhow::Result<()> {
    if json {
        let mut document = serde_json::to_value(summary)?;
        document["beyond_budget"] = json!(n_beyond_budget);
        return output::json(&document);
    }
    let StreamSummary { events, new, known, late, rejected, commits, decisions, notices, builds, newest: _ } = summary;
    let built = if *builds > 0 { format!(", the index built {builds} times behind it") } else { String::new() };
    let beyond =
        if n_beyond_budget > 0 { format!(", {n_beyond_budget} alerts beyond their budget") } else { String::new() };
    tracing::info!(
        "{events} events: {new} new ({late} late), {known} known; {rejected} lines rejected; {commits} commits; \
         {decisions} decisions, {notices} notices of alerts{beyond}{built}"
    );
    Ok(())
}

/// Shows how a stream goes, and stops it at Ctrl-C.
struct Terminal {
    bar: ProgressBar,
    quarantine: Quarantine,
    source: String,
    error: Option<anyhow::Error>,
    figures: Arc<Mutex<Figures>>,
}

/// What the names of all figures begin with.
const FIGURES: &str = concat!("spaxiom", "_stream");

/// What is served for Prometheus.
#[derive(Debug, Default)]
struct Figures {
    summary: StreamSummary,
    n_pauses: u64,
}

impl Figures {
    fn to_text(&self, now: DateTime<Utc>) -> String {
        let StreamSummary { events, new, known, late, rejected, commits, decisions, notices, builds, newest } =
            self.summary;
        let counters = [
            ("events", events, "Events that came"),
            ("new", new, "Events that are in the store now and were not before"),
            ("known", known, "Events that were there, or came again"),
            ("late", late, "New events that came after a newer one of their site"),
            ("rejected", rejected, "What was no event"),
            ("commits", commits, "Commits"),
            ("decisions", decisions, "Decisions about a risk"),
            ("notices", notices, "Notices of alerts that were sent"),
            ("index_builds", builds, "Times that the index was built behind the stream"),
            ("pauses", self.n_pauses, "Times that something was tried again: a store or a place for alerts was away"),
        ];
        let mut text = String::new();
        for (name, value, help) in counters {
            let _ = writeln!(
                text,
                "# HELP {FIGURES}_{name}_total {help}.\n# TYPE {FIGURES}_{name}_total counter\n{FIGURES}_{name}_total {value}"
            );
        }
        if let Some(newest) = newest {
            let lag = (now - newest).as_seconds_f64();
            let _ = writeln!(
                text,
                "# HELP {FIGURES}_lag_seconds Since the newest event, by its own time.\n# TYPE {FIGURES}_lag_seconds gauge\n{FIGURES}_lag_seconds {lag:.3}"
            );
        }
        text
    }
}

impl Terminal {
    fn new(args: &StreamArgs, client: &str) -> anyhow::Result<Self> {
        stop::listen();
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(Duration::from_millis(250));
        let quarantine = match args.quarantine.as_ref().map(|place| place.get("--quarantine")).transpose()? {
            None => Quarantine::open(None)?,
            Some(QuarantinePlace::File(path)) => Quarantine::open(Some(path))?,
            Some(QuarantinePlace::Subject(subject)) => {
                Quarantine::publish(NatsPublisher::connect(subject, client, args.alerts.password()?.as_deref())?)
            }
        };
        let source = match args.source.get("--source")? {
            SourceAddress::Stdin => "-".into(),
            SourceAddress::File(path) => path.display().to_string(),
            SourceAddress::Mqtt(_) => "mqtt".into(),
            SourceAddress::Nats(_) => "nats".into(),
        };
        let figures = Arc::<Mutex<Figures>>::default();
        if let Some(address) = args.metrics {
            let figures = Arc::clone(&figures);
            let text = move || figures.lock().unwrap_or_else(PoisonError::into_inner).to_text(clock::utc());
            let own = spaxiom_serve::serve_metrics(address, text).context("`--metrics`")?;
            tracing::info!("figures for Prometheus: http://{own}/metrics");
        }
        Ok(Self { bar, quarantine, source, error: None, figures })
    }

    fn finish(self) -> anyhow::Result<u64> {
        self.bar.finish_and_clear();
        let n_rejected = self.quarantine.finish()?;
        self.error.map_or(Ok(n_rejected), Err)
    }
}

impl StreamObserver for Terminal {
    fn is_stopped(&mut self) -> bool {
        stop::asked() || self.error.is_some()
    }

    fn now(&mut self) -> DateTime<Utc> {
        clock::utc()
    }

    fn rejected(&mut self, rejected: &Rejected) {
        let kept = self.quarantine.rejected(&self.source, rejected).and_then(|()| self.quarantine.flush());
        if let Err(error) = kept {
            self.error.get_or_insert(error);
        }
    }

    fn committed(&mut self, summary: &StreamSummary) {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner).summary = *summary;
        let StreamSummary { new, known, rejected, notices, .. } = summary;
        self.bar.set_message(format!("{new} stored, {known} known, {rejected} rejected, {notices} notices"));
    }

    fn pause(&mut self, pause: Duration, why: &StreamError) {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner).n_pauses += 1;
        tracing::warn!(
            "{why}; tried again{}",
            if pause.is_zero() { String::new() } else { format!(" in {} ms", pause.as_millis()) }
        );
        std::thread::sleep(pause);
    }
}
