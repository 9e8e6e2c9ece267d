//! First come, first served at several servers, and the formula that it is checked against.

/// A server with times in which it cannot start a service.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dock {
    /// When it is free again, in seconds.
    free_at: f64,
    /// Disjoint spans (start, end) in order of time, in seconds.
    blocked: Vec<(f64, f64)>,
}

/// One customer's way through the queue; times in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Visit {
    /// When it came.
    pub arrival: f64,
    /// When its service began.
    pub start: f64,
    /// When its service ended.
    pub end: f64,
    /// Which server.
    pub dock_idx: usize,
}

impl Dock {
    /// Starts no service from `from` to `to`, in seconds; later than all blocks before.
    pub fn block(&mut self, from: f64, to: f64) {
        self.blocked.push((from, to));
    }

    /// Forgets the blocks that ended before `time`: nobody asks for an earlier start any more.
    pub fn forget(&mut self, time: f64) {
        self.blocked.retain(|(_, to)| *to > time);
    }

    /// When its last service ends, in seconds.
    #[must_use]
    pub fn free_at(&self) -> f64 {
        self.free_at
    }

    /// The first instant from `time` on at which a service can start.
    fn earliest_start(&self, time: f64) -> f64 {
        let start = time.max(self.free_at);
        self.blocked.iter().fold(start, |start, &(from, to)| if (from..to).contains(&start) { to } else { start })
    }
}

/// Serves customers in the order of their arrival (ascending), each at the dock that can start first.
///
/// `service_secs` gives the duration of a service that starts at the given time.
pub fn serve(arrivals: &[f64], docks: &mut [Dock], mut service_secs: impl FnMut(f64) -> f64) -> Vec<Visit> {
    arrivals
        .iter()
        .map(|&arrival| {
            let starts = docks.iter().enumerate().map(|(dock_idx, dock)| (dock_idx, dock.earliest_start(arrival)));
            let (dock_idx, start) = starts.min_by(|a, b| a.1.total_cmp(&b.1)).expect("a site has at least one dock");
            let end = start + service_secs(start);
            docks[dock_idx].free_at = end;
            Visit { arrival, start, end, dock_idx }
        })
        .collect()
}

/// The M/M/c queue in the steady state (Erlang 1917).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ErlangC {
    /// Arrivals per hour.
    pub arrivals_per_hour: f64,
    /// Services per hour and server.
    pub services_per_hour: f64,
    /// Number of servers.
    pub n_servers: u32,
}

impl ErlangC {
    /// Probability that a customer has to wait; 0 to 1, defined below full utilisation.
    #[must_use]
    pub fn waiting_probability(&self) -> f64 {
        let load = self.arrivals_per_hour / self.services_per_hour;
        let servers = f64::from(self.n_servers);
        // Erlang B by its recurrence, which stays in range where factorials do not.
        let blocked = (1..=self.n_servers).fold(1.0, |b, n| load * b / (f64::from(n) + load * b));
        blocked / (1.0 - load / servers * (1.0 - blocked))
    }

    /// Mean wait before service, in minutes.
    #[must_use]
    pub fn mean_wait_mins(&self) -> f64 {
        let spare_per_hour = f64::from(self.n_servers) * self.services_per_hour - self.arrivals_per_hour;
        60.0 * self.waiting_probability() / spare_per_hour
    }
}
