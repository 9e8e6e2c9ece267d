//! The folder of a simulation: events, truth in files of its own, site map, split and manifest.

use std::collections::BTreeMap;
use std::io::{BufWriter, Read};
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};
use spaxiom_embedding::{DataFolder, EventWriter, NewFile, SiteMap, Target, Zone, hex, replace_file, write_records};
use spaxiom_sim::{Delivery, NoiseOptions, SimulatedSite, Truth};

use super::plan::Simulation;

/// How many of each were written.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct Counts {
    pub(super) events: u64,
    pub(super) malformed: u64,
    pub(super) episodes: u64,
    pub(super) decisions: u64,
    pub(super) entities: u64,
    pub(super) relevance: u64,
}

/// How a folder was made: with the same program and these values its bytes come again.
#[derive(Debug, Serialize)]
pub(super) struct Made {
    /// The format of this file; 1.
    format: u32,
    scenario: &'static str,
    seed: u64,
    sites: u32,
    days: u32,
    start: String,
    difficulty: &'static str,
    noise: &'static str,
    /// SHA-256 of the constants of the scenario, and of those of the noise.
    constants: String,
    noise_constants: String,
    version: &'static str,
}

impl Made {
    pub(super) fn of(simulation: &Simulation) -> Self {
        let Simulation { name, scenario: _, constants, difficulty, noise, noise_options, seed, n_sites, n_days, start } =
            simulation;
        let noise_constants = match noise_options {
            // Chosen on the command line: the written options say more than the file.
            Some(options) => format!("{options:?}"),
            None => NoiseOptions::built_in_text().to_owned(),
        };
        Self {
            format: 1,
            scenario: name.name(),
            seed: *seed,
            sites: *n_sites,
            days: *n_days,
            start: start.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            difficulty: difficulty.name(),
            noise: noise.name(),
            constants: hex(&Sha256::digest(constants)),
            noise_constants: hex(&Sha256::digest(noise_constants)),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// The manifest as it is written.
#[derive(Serialize)]
struct Manifest<'a> {
    #[serde(flatten)]
    made: &'a Made,
    counts: Counts,
    events_file: String,
    /// SHA-256 of the file of events.
    events_sha256: String,
    /// SHA-256 of each file of the truth.
    truth_sha256: BTreeMap<String, String>,
}

/// Which sites are for what: whoever reports figures trains on no site of the test.
#[derive(Debug, Serialize)]
struct SiteSplit<'a> {
    train: &'a [String],
    validation: &'a [String],
    test: &'a [String],
}

/// Writes as it goes; every file appears under its name when it is whole.
pub(super) struct FolderWriter {
    folder: DataFolder,
    events: PathBuf,
    writer: EventWriter,
    truth: [Records; 4],
    counts: Counts,
    sites: Vec<(String, Vec<(String, Zone)>)>,
}

/// A file of records.
struct Records(BufWriter<NewFile>);

impl Records {
    fn create(path: &Path) -> anyhow::Result<Self> {
        Ok(Self(BufWriter::new(NewFile::create(path)?)))
    }

    fn write<T: Serialize>(&mut self, records: &[T]) -> anyhow::Result<u64> {
        write_records(&mut self.0, records)?;
        Ok(records.len() as u64)
    }

    fn finish(self) -> anyhow::Result<()> {
        Ok(self.0.into_inner()?.commit()?)
    }
}

impl FolderWriter {
    pub(super) fn create(out: &Path, target: Target, overwrite: bool) -> anyhow::Result<Self> {
        let folder = DataFolder::new(out);
        let names = DataFolder::TRUTH.iter().copied().chain(["events.jsonl", "events.parquet"]);
        let there: Vec<PathBuf> = names.map(|name| out.join(name)).filter(|path| path.exists()).collect();
        if let (false, Some(path)) = (overwrite, there.first()) {
            anyhow::bail!("`{}` is there already: choose another folder, or give `--overwrite`", path.display());
        }
        fs_err::create_dir_all(out)?;
        let events = out.join(if target == Target::Parquet { "events.parquet" } else { "events.jsonl" });
        // Events of the other kind would be read instead of the new ones.
        let mut others = there.into_iter().filter(|path| path.file_stem() == events.file_stem() && *path != events);
        others.try_for_each(fs_err::remove_file)?;
        let truth = [folder.labels(), folder.decisions(), folder.entities(), folder.relevance()];
        let [labels, decisions, entities, relevance] = truth.map(|path: PathBuf| Records::create(&path));
        Ok(Self {
            writer: EventWriter::create(&events, target)?,
            events,
            truth: [labels?, decisions?, entities?, relevance?],
            folder,
            counts: Counts::default(),
            sites: Vec::new(),
        })
    }

    pub(super) fn write(&mut self, deliveries: &[Delivery], truth: &Truth) -> anyhow::Result<()> {
        for Delivery { event, broken_at, arrival: _ } in deliveries {
            if let Some(at) = broken_at {
                self.counts.malformed += u64::from(self.writer.write_broken(event, *at)?);
            } else {
                self.writer.write(event)?;
                self.counts.events += 1;
            }
        }
        let Truth { spans, decisions, entities, relevance } = truth;
        let [labels_out, decisions_out, entities_out, relevance_out] = &mut self.truth;
        self.counts.episodes += labels_out.write(spans)?;
        self.counts.decisions += decisions_out.write(decisions)?;
        self.counts.entities += entities_out.write(entities)?;
        self.counts.relevance += relevance_out.write(relevance)?;
        Ok(())
    }

    pub(super) fn end_site(&mut self, site: &dyn SimulatedSite) {
        self.sites.push((site.id().to_string(), site.zones()));
    }

    pub(super) fn finish(self, made: &Made) -> anyhow::Result<Counts> {
        let Self { folder, events, writer, truth, counts, sites } = self;
        writer.finish()?;
        truth.into_iter().try_for_each(Records::finish)?;
        let names: Vec<String> = sites.iter().map(|(id, _)| id.clone()).collect();
        replace_file(&folder.site_map(), SiteMap::from_zones(sites)?.to_toml().as_bytes())?;
        replace_file(&folder.split(), &pretty(&split(&names))?)?;
        let truth_files = [folder.labels(), folder.decisions(), folder.entities(), folder.relevance()];
        let truth_sha256 = truth_files.iter().map(|path| Ok((name_of(path), hash_of(path)?)));
        let truth_sha256 = truth_sha256.collect::<anyhow::Result<_>>()?;
        let manifest =
            Manifest { made, counts, events_file: name_of(&events), events_sha256: hash_of(&events)?, truth_sha256 };
        replace_file(&folder.manifest(), &pretty(&manifest)?)?;
        Ok(counts)
    }
}

/// The last quarter of the sites for the test, as the default split has it, and about an eighth before them for validation.
fn split(names: &[String]) -> SiteSplit<'_> {
    let n = names.len();
    let n_test = if n > 1 { ((n + 2) / 4).max(1) } else { 0 };
    let n_validation = if n > 2 { (n / 8).max(1) } else { 0 };
    let (rest, test) = names.split_at(n - n_test);
    let (train, validation) = rest.split_at(rest.len() - n_validation);
    SiteSplit { train, validation, test }
}

fn pretty(value: &impl Serialize) -> anyhow::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    Ok(text)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn hash_of(path: &Path) -> anyhow::Result<String> {
    let mut file = fs_err::File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n_read = file.read(&mut buffer)?;
        if n_read == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(&buffer[..n_read]);
    }
}
