//! Events of all sites to standard output, as they arrive; as fast as possible, or so many times as fast as real.

use std::io::{self, BufWriter, Write};
use std::thread;
use std::time::{Duration, Instant};

use spaxiom_embedding::{EventError, write_jsonl};
use spaxiom_sim::Delivery;

use super::{Noisy, Simulation};
use crate::exit::Exit;

pub(super) fn run(simulation: &Simulation, realtime: Option<f64>) -> anyhow::Result<Exit> {
    let mut sites: Vec<Noisy> = (0..simulation.n_sites).map(|idx| simulation.site(idx)).collect::<Result<_, _>>()?;
    let mut out = Out { writer: BufWriter::new(io::stdout().lock()), realtime, begun: Instant::now(), simulation };
    for day in 0..=simulation.n_days {
        let mut deliveries: Vec<Delivery> = sites
            .iter_mut()
            .flat_map(|site| if day < simulation.n_days { site.next_day() } else { site.noise.finish() })
            .collect();
        deliveries.sort_by(|a, b| (a.arrival, &a.event.id).cmp(&(b.arrival, &b.event.id)));
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
            let left = due.saturating_duration_since(Instant::now());
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
