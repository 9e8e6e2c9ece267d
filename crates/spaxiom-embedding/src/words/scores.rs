//! How well texts are read, beside the filters that are meant.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use spaxiom_index::Filter;

/// How well texts are read.
///
/// A *slot* is one condition: a name of a field, a span of time, a comparison, a negation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FilterScores {
    /// Texts.
    pub n: usize,
    /// Share of the texts whose filter is exactly the one that is meant.
    pub exact: f64,
    /// Harmonic mean of the shares of slots that are meant among those that are read, and the other way round, over all texts.
    pub slot_f1: f64,
    /// Share of the texts whose filter leaves out something that is meant: a wrong or an additional condition.
    ///
    /// A filter that is too wide is not wrong: what is meant is among the hits.
    pub wrong_filter: f64,
}

impl FilterScores {
    /// Judges filters that are meant, and read.
    #[must_use]
    pub fn of<'f>(pairs: impl IntoIterator<Item = (&'f Filter, &'f Filter)>) -> Self {
        let (mut n, mut n_exact, mut n_wrong) = (0, 0, 0);
        let [mut n_meant, mut n_read, mut n_both] = [0; 3];
        for (meant, read) in pairs {
            let [meant, read] = [meant, read].map(Slots::of);
            let [of_meant, of_read] = [meant.all(), read.all()];
            n += 1;
            n_exact += usize::from(of_meant == of_read);
            n_wrong += usize::from(read.leaves_out(&meant));
            n_meant += of_meant.len();
            n_read += of_read.len();
            n_both += of_meant.intersection(&of_read).count();
        }
        let share = |part: usize, of: usize| part as f64 / of.max(1) as f64;
        Self {
            n,
            exact: share(n_exact, n),
            slot_f1: share(2 * n_both, n_meant + n_read),
            wrong_filter: share(n_wrong, n),
        }
    }
}

/// The conditions of a filter.
#[derive(Debug, Default, PartialEq, Eq)]
struct Slots {
    /// Names of each field: one of them has to hold.
    names: BTreeMap<&'static str, BTreeSet<String>>,
    /// Everything else: all of it has to hold.
    others: BTreeSet<String>,
}

impl Slots {
    fn of(filter: &Filter) -> Self {
        let mut slots = Self::default();
        slots.take(filter);
        slots
    }

    fn take(&mut self, filter: &Filter) {
        match filter {
            Filter::All => {}
            Filter::And(parts) => parts.iter().for_each(|part| self.take(part)),
            Filter::Is { field, values } => {
                self.names.entry(field.as_str()).or_default().extend(values.iter().cloned());
            }
            other => {
                self.others.insert(other.to_string());
            }
        }
    }

    fn all(&self) -> BTreeSet<String> {
        let names =
            self.names.iter().flat_map(|(field, names)| names.iter().map(move |name| format!("{field} = {name}")));
        names.chain(self.others.iter().cloned()).collect()
    }

    /// Whether something passes `meant` and not this.
    fn leaves_out(&self, meant: &Self) -> bool {
        let is_narrower = |(field, names): (&&str, &BTreeSet<String>)| {
            meant.names.get(*field).is_none_or(|meant| !meant.is_subset(names))
        };
        self.names.iter().any(is_narrower) || !self.others.is_subset(&meant.others)
    }
}

#[cfg(test)]
mod tests {
    use spaxiom_index::Filter;

    use super::FilterScores;

    #[test]
    #[expect(clippy::float_cmp, reason = "shares of one text are whole")]
    fn a_filter_is_wrong_where_it_leaves_out_what_is_meant() {
        let of = |meant: &str, read: &str| {
            let [meant, read] = [meant, read].map(|text| Filter::parse(text).unwrap());
            FilterScores::of([(&meant, &read)])
        };
        let same = of("type in (A, B) and length > 5", "length > 5 and type in (B, A)");
        assert_eq!((same.exact, same.slot_f1, same.wrong_filter), (1.0, 1.0, 0.0));
        let wide = of("type = A and length > 5", "type in (A, B)");
        assert_eq!((wide.exact, wide.slot_f1, wide.wrong_filter), (0.0, 0.5, 0.0));
        assert_eq!(of("type in (A, B)", "type = A").wrong_filter, 1.0);
        assert_eq!(of("type = A", "type = A and zone = z").wrong_filter, 1.0);
        assert_eq!(of("hour in 7..9", "hour in 19..21").wrong_filter, 1.0);
        assert_eq!(FilterScores::of([]).n, 0);
    }
}
