//! What comes next: an n-gram of types in zones, and a linear function of the vector beside it.

use spaxiom_eval::{NGram, Row, SoftmaxRegression, SoftmaxRegressionOptions};

/// Orders of n-grams that are tried.
const ORDERS: [usize; 4] = [1, 2, 3, 5];

/// Shares of the linear function in the probability that are tried.
const SHARES: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

const REGRESSION: SoftmaxRegressionOptions = SoftmaxRegressionOptions { l2: 1e-3, max_iterations: 60, tolerance: 1e-3 };

/// All events of a site by kind, and moments among them.
#[derive(Debug, Clone, Copy)]
pub(super) struct NextRows<'a> {
    /// Kinds of all events of the site up to the last that is known.
    pub(super) ids: &'a [u32],
    pub(super) n_kinds: usize,
    /// Places of the moments among them.
    pub(super) moments: &'a [usize],
    /// `[n, n_features]`, row after row.
    pub(super) features: &'a [f32],
    pub(super) n_features: usize,
}

impl<'a> NextRows<'a> {
    fn rows(&self) -> impl Iterator<Item = (usize, Row<'a>)> {
        let rows = self.features.chunks_exact(self.n_features).map(|values| Row { indices: None, values });
        self.moments.iter().copied().zip(rows)
    }

    /// What came.
    fn came(&self, moment: usize) -> usize {
        self.ids[moment + 1] as usize
    }
}

/// The probability of every kind to be next.
#[derive(Debug)]
pub(super) struct NextModel {
    n_gram: NGram,
    order: usize,
    regression: SoftmaxRegression,
    share: f64,
}

impl NextModel {
    /// Learns from one part, and from all events before its last moment; another part chooses order and share.
    pub(super) fn fit(train: &NextRows<'_>, validation: &NextRows<'_>) -> Self {
        let regression = SoftmaxRegression::new(train.n_features, train.n_kinds);
        let regression = learned(regression, train);
        let mean = |of: &dyn Fn(usize, Row<'_>) -> f64| -> f64 {
            validation.rows().map(|(moment, row)| of(moment, row)).map(f64::ln).sum()
        };
        let fitted = ORDERS.map(|order| {
            let n_gram = n_gram(order, train);
            let before = |moment: usize| n_gram.likelihoods(&validation.ids[..=moment]);
            let score = mean(&|moment, _| before(moment)[validation.came(moment)]);
            (score, order, n_gram)
        });
        let best = fitted.into_iter().max_by(|a, b| a.0.total_cmp(&b.0));
        let (_, order, n_gram) = best.expect("four orders");
        let told: Vec<[f64; 2]> = validation
            .rows()
            .map(|(moment, row)| {
                let came = validation.came(moment);
                [f64::from(regression.probabilities(row)[came]), n_gram.likelihoods(&validation.ids[..=moment])[came]]
            })
            .collect();
        let score = |share: f64| -> f64 { told.iter().map(|[own, n_gram]| mixed(*own, *n_gram, share).ln()).sum() };
        let share = SHARES.into_iter().max_by(|a, b| score(*a).total_cmp(&score(*b))).expect("five shares");
        Self { n_gram, order, regression, share }
    }

    /// The same order and share, learned from more.
    pub(super) fn refit(self, rows: &NextRows<'_>) -> Self {
        let Self { n_gram: _, order, regression, share } = self;
        Self { n_gram: n_gram(order, rows), order, regression: learned(regression, rows), share }
    }

    /// Events before the next that the n-gram reads.
    pub(super) fn n_gram_reads(&self) -> usize {
        self.order - 1
    }

    /// By kind, after these events, of which `features` tell the last; and by the n-gram alone.
    pub(super) fn probabilities(&self, before: &[u32], features: &[f32]) -> [Vec<f64>; 2] {
        let n_gram = self.n_gram.likelihoods(before);
        let own = self.regression.probabilities(Row { indices: None, values: features });
        let both = own.iter().zip(&n_gram).map(|(&own, &n_gram)| mixed(f64::from(own), n_gram, self.share)).collect();
        [both, n_gram]
    }
}

/// An n-gram keeps a little of the probability, so that nothing is impossible.
fn mixed(own: f64, n_gram: f64, share: f64) -> f64 {
    let share = share.min(0.99);
    share * own + (1.0 - share) * n_gram
}

fn n_gram(order: usize, rows: &NextRows<'_>) -> NGram {
    let end = rows.moments.last().map_or(0, |last| last + 1);
    NGram::fit(order, rows.n_kinds, [rows.ids[..end].to_vec()])
}

fn learned(regression: SoftmaxRegression, rows: &NextRows<'_>) -> SoftmaxRegression {
    let (features, labels): (Vec<Row<'_>>, Vec<usize>) =
        rows.rows().map(|(moment, row)| (row, rows.came(moment))).unzip();
    regression.refit(&REGRESSION, &features, &labels)
}
