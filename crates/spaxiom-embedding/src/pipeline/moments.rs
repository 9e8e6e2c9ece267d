//! Hits of one moment are one.

use spaxiom_index::{Hit, Record};

/// Events of a site that lie no further from a nearer hit are of its moment.
pub(super) const MOMENT_NS: i64 = 15 * 60 * 1_000_000_000;

/// Events of one moment.
pub(super) struct Moment {
    pub(super) nearest: Hit,
    pub(super) n_folded: usize,
}

/// What a query is made of, which is no answer to it.
#[derive(Debug, Default)]
pub(super) struct Own {
    spans: Vec<OwnSpan>,
}

#[derive(Debug)]
struct OwnSpan {
    site: String,
    /// A single event, or all of the span.
    id: Option<String>,
    from_ns: i64,
    to_ns: i64,
}

impl Own {
    pub(super) fn of_event(site: &str, id: &str, time_ns: i64) -> Self {
        Self { spans: vec![OwnSpan { site: site.into(), id: Some(id.into()), from_ns: time_ns, to_ns: time_ns }] }
    }

    pub(super) fn of_span(site: &str, from_ns: i64, to_ns: i64) -> Self {
        Self { spans: vec![OwnSpan { site: site.into(), id: None, from_ns, to_ns }] }
    }

    pub(super) fn and(mut self, other: Self) -> Self {
        self.spans.extend(other.spans);
        self
    }

    /// Whether a record is what the query is made of.
    pub(super) fn is(&self, record: &Record) -> bool {
        self.spans.iter().any(|own| {
            own.site == record.site
                && match &own.id {
                    Some(id) => *id == record.id,
                    None => (own.from_ns..=own.to_ns).contains(&record.time_ns),
                }
        })
    }

    /// Number of records that may be what the query is made of; none for spans, whose records nobody counted.
    pub(super) fn n_events(&self) -> Option<usize> {
        self.spans.iter().all(|own| own.id.is_some()).then_some(self.spans.len())
    }

    /// Whether a record is of a moment that the query is made of.
    fn is_near(&self, record: &Record) -> bool {
        self.spans.iter().any(|own| {
            let span = own.from_ns.saturating_sub(MOMENT_NS)..=own.to_ns.saturating_add(MOMENT_NS);
            own.site == record.site && span.contains(&record.time_ns)
        })
    }
}

/// Hits by moments, nearest first; none of the moments of `own`.
pub(super) fn moments(hits: Vec<Hit>, own: &Own) -> Vec<Moment> {
    let is_near =
        |a: &Record, b: &Record| a.site == b.site && a.time_ns.saturating_sub(b.time_ns).saturating_abs() <= MOMENT_NS;
    let mut moments: Vec<Moment> = Vec::new();
    for hit in hits.into_iter().filter(|hit| !own.is_near(&hit.record)) {
        match moments.iter_mut().find(|moment| is_near(&hit.record, &moment.nearest.record)) {
            Some(moment) => moment.n_folded += 1,
            None => moments.push(Moment { nearest: hit, n_folded: 0 }),
        }
    }
    moments
}
