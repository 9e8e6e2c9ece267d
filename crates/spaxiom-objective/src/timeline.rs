//! What happened when at a site: what counts of the past and of the future are made of.

/// The events of a site in order of time, each as one token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    times_ns: Vec<i64>,
    tokens: Vec<usize>,
}

impl Timeline {
    /// Events in order of time: when each came, and its token.
    ///
    /// # Panics
    /// Where there are not as many tokens as times.
    #[must_use]
    pub fn new(times_ns: Vec<i64>, tokens: Vec<usize>) -> Self {
        assert_eq!(times_ns.len(), tokens.len(), "every event has a token");
        Self { times_ns, tokens }
    }

    /// The moment of event `event_idx`.
    #[must_use]
    pub fn moment(&self, event_idx: usize) -> Moment<'_> {
        Moment { timeline: self, event_idx }
    }

    /// Events per second of each of `n_tokens`, over several sites.
    #[must_use]
    pub fn rates(timelines: &[Self], n_tokens: usize) -> Vec<f64> {
        let mut counts = vec![0.0; n_tokens];
        timelines.iter().flat_map(|timeline| &timeline.tokens).for_each(|&token| counts[token] += 1.0);
        let secs = |timeline: &Self| match (timeline.times_ns.first(), timeline.times_ns.last()) {
            (Some(first), Some(last)) => seconds(last - first),
            _ => 0.0,
        };
        let secs: f64 = timelines.iter().map(secs).sum();
        counts.into_iter().map(|count: f64| count / secs.max(1.0)).collect()
    }
}

/// A moment of a site, with what came before and after it.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    timeline: &'a Timeline,
    event_idx: usize,
}

impl Moment<'_> {
    /// How often each token came within the last `secs`, the event of the moment included; none where the timeline begins later.
    #[must_use]
    pub fn past(&self, secs: f64, n_tokens: usize) -> Option<Vec<f32>> {
        let Self { timeline: Timeline { times_ns, tokens }, event_idx } = *self;
        let start = times_ns[event_idx] - nanoseconds(secs);
        if start < times_ns[0] {
            return None;
        }
        let first = times_ns[..=event_idx].partition_point(|time| *time < start);
        Some(counted(&tokens[first..=event_idx], n_tokens))
    }

    /// How often each token comes within the next `secs`, the event of the moment left out; none where the timeline ends sooner.
    #[must_use]
    pub fn next(&self, secs: f64, n_tokens: usize) -> Option<Vec<f32>> {
        let Self { timeline: Timeline { times_ns, tokens }, event_idx } = *self;
        let end = times_ns[event_idx] + nanoseconds(secs);
        if times_ns.last().is_none_or(|last| end > *last) {
            return None;
        }
        let n = times_ns[event_idx..].partition_point(|time| *time <= end);
        Some(counted(&tokens[event_idx + 1..event_idx + n], n_tokens))
    }

    /// Seconds until each token comes next, none where it does not come within `secs`; and for how long it could be seen.
    #[must_use]
    pub fn waits(&self, secs: f64, n_tokens: usize) -> (Vec<Option<f64>>, f64) {
        let Self { timeline: Timeline { times_ns, tokens }, event_idx } = *self;
        let now = times_ns[event_idx];
        let mut waits = vec![None; n_tokens];
        for (time, &token) in times_ns.iter().zip(tokens).skip(event_idx + 1) {
            let wait = seconds(time - now);
            if wait > secs {
                break;
            }
            waits[token].get_or_insert(wait);
        }
        let seen = times_ns.last().map_or(0.0, |last| seconds(last - now));
        (waits, seen.min(secs))
    }
}

fn counted(tokens: &[usize], n_tokens: usize) -> Vec<f32> {
    let mut counts = vec![0.0; n_tokens];
    for &token in tokens {
        counts[token] += 1.0;
    }
    counts
}

fn seconds(ns: i64) -> f64 {
    ns as f64 / 1e9
}

#[expect(clippy::cast_possible_truncation, reason = "hours are far below the greatest number of nanoseconds")]
fn nanoseconds(secs: f64) -> i64 {
    (secs * 1e9) as i64
}

#[cfg(test)]
mod tests {
    use super::Timeline;

    fn timeline() -> Timeline {
        let secs = [0, 10, 10, 40, 100];
        Timeline::new(secs.iter().map(|secs| secs * 1_000_000_000).collect(), vec![0, 1, 0, 1, 2])
    }

    #[test]
    fn the_past_holds_the_moment_and_the_future_does_not() {
        let timeline = timeline();
        let moment = timeline.moment(3);
        assert_eq!(moment.past(30.0, 3), Some(vec![1.0, 2.0, 0.0]), "10, 10 and 40 s");
        assert_eq!(moment.past(40.0, 3), Some(vec![2.0, 2.0, 0.0]));
        assert_eq!(moment.past(41.0, 3), None, "nobody knows what was before the first event");
        assert_eq!(moment.next(59.0, 3), Some(vec![0.0; 3]));
        assert_eq!(moment.next(60.0, 3), Some(vec![0.0, 0.0, 1.0]));
        assert_eq!(moment.next(61.0, 3), None, "nobody knows what came after the last event");
    }

    #[test]
    fn a_wait_is_until_the_first_of_a_token() {
        let timeline = timeline();
        assert_eq!(timeline.moment(0).waits(50.0, 3), (vec![Some(10.0), Some(10.0), None], 50.0));
        assert_eq!(timeline.moment(3).waits(7200.0, 3), (vec![None, None, Some(60.0)], 60.0));
        assert_eq!(timeline.moment(4).waits(7200.0, 3), (vec![None; 3], 0.0));
    }

    #[test]
    fn rates_are_over_all_sites() {
        let rates = Timeline::rates(&[timeline(), timeline(), Timeline::default()], 3);
        assert_eq!(rates, [0.02, 0.02, 0.01]);
    }
}
