//! Events of all sites to standard output, as they arrive; as fast as possible, or so many times as fast as real.

use std::io::{self, BufWriter, Write};
use std::thread;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use spaxiom_embedding::{EventError, write_jsonl};
use spaxiom_sim::Delivery;

use super::plan::{Noisy, Simulation};
use crate::clock;
use crate::exit::Exit;

/// The day of a site ends before midnight by what hangs together with the next day, and by the error of its clock:
/// what arrives in the last hour of a day waits for the next day of the other sites.
const HELD_BACK_SECS: i64 = 3600;

pub(super) fn run(simulation: &Simulation, realtime: Option<f64>) -> anyhow::Result<Exit> {
    let mut sites: Vec<Noisy> = (0..simulation.n_sites).map(|idx| simulation.site(idx)).collect::<Result<_, _>>()?;
    let mut out = Out { writer: BufWriter::new(io::stdout().lock()), realtime, begun: clock::now(), simulation };
    let mut waiting: Vec<Delivery> = Vec::new();
    for day in 0..=simulation.n_days {
        let is_last = day == simulation.n_days;
        for site in &mut sites {
            waiting.extend(if is_last { site.noise.finish() } else { site.next_day() });
        }
        waiting.sort_by(|a, b| (a.arrival, &a.event.id).cmp(&(b.arrival, &b.event.id)));
        let due = simulation.start + TimeDelta::days(i64::from(day) + 1) - TimeDelta::seconds(HELD_BACK_SECS);
        let n_due = if is_last { waiting.len() } else { waiting.partition_point(|delivery| delivery.arrival < due) };
        let rest = waiting.split_off(n_due);
        let deliveries = std::mem::replace(&mut waiting, rest);
        match deliveries.iter().try_for_each(|delivery| out.deliver(delivery)) {
            // Whoever reads has had enough, as `head` has.
            Err(error) if is_closed(&error) => return Ok(Exit::Done),
            result => result?,
        }
    }
    out.writer.flush()?;
    Ok(Exit::Done)
}

struct Out<'a, W: Write> {
    writer: BufWriter<W>,
    realtime: Option<f64>,
    begun: Instant,
    simulation: &'a Simulation,
}

impl<W: Write> Out<'_, W> {
    fn deliver(&mut self, delivery: &Delivery) -> Result<(), EventError> {
        let Delivery { arrival, event, broken_at } = delivery;
        if let Some(times) = self.realtime {
            let secs = (*arrival - self.simulation.start).as_seconds_f64() / times;
            let due = self.begun + Duration::from_secs_f64(secs.max(0.0));
            let left = due.saturating_duration_since(clock::now());
            if !left.is_zero() {
                self.writer.flush()?;
                thread::sleep(left);
            }
        }
        if let Some(at) = broken_at {
            return spaxiom_embedding::write_broken_line(&mut self.writer, event, *at);
        }
        write_jsonl(&mut self.writer, [event])
    }
}

fn is_closed(error: &EventError) -> bool {
    matches!(error, EventError::Io(error) if error.kind() == io::ErrorKind::BrokenPipe)
}
