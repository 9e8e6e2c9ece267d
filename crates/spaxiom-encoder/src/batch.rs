//! Windows of tokens as tensors.

use std::ops::Range;

use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Int, Tensor, TensorData};
use spaxiom_token::{Edge, EdgeType, Modality, NumberColumn, TokenWindow, Tokenizer, special};

use crate::elapsed::{N_AGE_FEATURES, push_age_features};

/// Every type of edge, from the earlier event to the later one and back.
pub(crate) const N_RELATIONS: usize = 2 * EdgeType::ALL.len();

/// Where the ids of each field stand in the one embedding table, and which numbers stand beside them.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchLayout {
    offsets: Vec<usize>,
    n_rows: usize,
    modalities: Vec<Modality>,
    numbers: Vec<NumberColumn>,
    has_ages: bool,
    has_edges: bool,
}

impl BatchLayout {
    /// `field_sizes` as [`spaxiom_token::Tokenizer::field_sizes`] gives them.
    #[must_use]
    pub fn new(field_sizes: &[usize]) -> Self {
        let mut n_rows = 0;
        let offsets = field_sizes
            .iter()
            .map(|size| {
                n_rows += size;
                n_rows - size
            })
            .collect();
        let modalities = vec![Modality::Type; field_sizes.len()];
        Self { offsets, n_rows, modalities, numbers: Vec::new(), has_ages: false, has_edges: false }
    }

    /// The rows that a tokenizer gives: its fields, what each is about, and its numbers.
    #[must_use]
    pub fn of(tokenizer: &Tokenizer) -> Self {
        let layout = Self::new(&tokenizer.field_sizes()).with_numbers(tokenizer.numbers());
        layout.with_modalities(&tokenizer.modalities())
    }

    /// The same with what each field is about, which is a type where nobody says.
    ///
    /// # Panics
    /// Where there are not as many as fields.
    #[must_use]
    pub fn with_modalities(self, modalities: &[Modality]) -> Self {
        assert_eq!(modalities.len(), self.n_fields(), "every field is about something");
        Self { modalities: modalities.to_vec(), ..self }
    }

    /// The same with numbers beside the ids, as [`spaxiom_token::Tokenizer::numbers`] gives them.
    #[must_use]
    pub fn with_numbers(self, numbers: &[NumberColumn]) -> Self {
        Self { numbers: numbers.to_vec(), ..self }
    }

    /// The same with the edges between events, for graph encoders.
    #[must_use]
    pub fn with_edges(self) -> Self {
        Self { has_edges: true, ..self }
    }

    /// The same with features of the time from each event to the last one beside those of the numbers.
    #[must_use]
    pub fn with_ages(self) -> Self {
        Self { has_ages: true, ..self }
    }

    /// Features of one event: of its numbers, then of its age where the layout has ages.
    #[must_use]
    pub fn n_features(&self) -> usize {
        let of_numbers: usize = self.numbers.iter().map(NumberColumn::n_features).sum();
        of_numbers + if self.has_ages { N_AGE_FEATURES } else { 0 }
    }

    /// What each feature is about.
    pub(crate) fn feature_modalities(&self) -> Vec<Modality> {
        let of_number = |number: &NumberColumn| std::iter::repeat_n(number.modality(), number.n_features());
        let mut modalities: Vec<Modality> = self.numbers.iter().flat_map(of_number).collect();
        modalities.resize(self.n_features(), Modality::Temporal);
        modalities
    }

    /// What each field is about.
    #[must_use]
    pub fn modalities(&self) -> &[Modality] {
        &self.modalities
    }

    /// The numbers beside the ids.
    #[must_use]
    pub fn numbers(&self) -> &[NumberColumn] {
        &self.numbers
    }

    /// Appends the features of each event of a window.
    pub(crate) fn push_features(&self, values: &[f32], ages: &[f32], features: &mut Vec<f32>) {
        let n_values = self.numbers.len();
        for (at, age) in ages.iter().enumerate() {
            for (number, value) in self.numbers.iter().zip(&values[at * n_values..]) {
                number.push_features(*value, features);
            }
            if self.has_ages {
                push_age_features(*age, features);
            }
        }
    }

    /// Number of fields.
    #[must_use]
    pub fn n_fields(&self) -> usize {
        self.offsets.len()
    }

    /// Rows of the embedding table.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// First row of each field.
    #[must_use]
    pub fn offsets(&self) -> &[usize] {
        &self.offsets
    }
}

/// The rows of one window, which an objective may have changed.
#[derive(Debug, Clone)]
pub struct WindowRows {
    /// Ids, row after row.
    pub ids: Vec<u32>,
    /// Values, row after row; not a number where there is none.
    pub values: Vec<f32>,
    /// Seconds from each row to the last one.
    pub ages: Vec<f32>,
    /// Edges between rows.
    pub edges: Vec<Edge>,
}

impl From<TokenWindow<'_>> for WindowRows {
    fn from(window: TokenWindow<'_>) -> Self {
        Self { ids: window.ids(), values: window.values(), ages: window.ages(), edges: window.edges().collect() }
    }
}

/// A batch of windows; before the events of each stands one `[CLS]`, after them padding.
#[derive(Debug, Clone)]
pub struct EventBatch<B: Backend> {
    /// Rows of the embedding table, `[batch, seq, n_fields]`.
    pub rows: Tensor<B, 3, Int>,
    /// Features of numbers and ages, `[batch, seq, n_features]`, 0 for `[CLS]` and padding; none where there are none.
    pub features: Option<Tensor<B, 3>>,
    /// Seconds from each event to the last one of its window, `[batch, seq]`; 0 for padding.
    ///
    /// `[CLS]` stands at the first event: at the last one it would tell every event how long the window goes on.
    pub ages: Tensor<B, 2>,
    /// How much each position hears of each other one, `[batch, n_relations * seq, seq]`, where the layout has edges:
    /// the relations are the types of edges from the earlier event to the later one, then the same back,
    /// and what a position hears in one relation sums to 1 or, without such an edge, to 0.
    pub edges: Option<Tensor<B, 3>>,
    /// How far before the end of its window an event is, `[batch, seq]`:
    /// 0 for `[CLS]` and padding, 1 for the last event, 2 for the one before it.
    pub positions: Tensor<B, 2, Int>,
    /// 1 for `[CLS]` and events, 0 for padding, `[batch, seq]`.
    pub keep: Tensor<B, 2>,
    /// `[CLS]` and events of each window.
    lengths: Vec<usize>,
}

impl<B: Backend> EventBatch<B> {
    /// Puts windows side by side; `seq` is the longest window and one more for `[CLS]`.
    #[must_use]
    pub fn new(layout: &BatchLayout, windows: &[TokenWindow<'_>], device: &B::Device) -> Self {
        Self::with_rows(layout, &windows.iter().map(|&window| window.into()).collect::<Vec<_>>(), device)
    }

    /// As [`EventBatch::new`], from rows: masking changes them before they become a batch.
    #[must_use]
    pub fn with_rows(layout: &BatchLayout, windows: &[WindowRows], device: &B::Device) -> Self {
        let n_fields = layout.n_fields();
        let batch = windows.len();
        let seq = 1 + windows.iter().map(|window| window.ids.len() / n_fields).max().unwrap_or(0);
        let mut rows = Vec::with_capacity(batch * seq * n_fields);
        let mut positions = Vec::with_capacity(batch * seq);
        let mut keep = Vec::with_capacity(batch * seq);
        let mut all_ages = Vec::with_capacity(batch * seq);
        for WindowRows { ids, ages, .. } in windows {
            let len = ids.len() / n_fields;
            rows.extend(layout.offsets.iter().map(|&offset| int(offset) + i64::from(special::CLS)));
            for row in ids.chunks_exact(n_fields) {
                rows.extend(layout.offsets.iter().zip(row).map(|(&offset, &id)| int(offset) + i64::from(id)));
            }
            let n_padding = seq - 1 - len;
            let padding = layout.offsets.iter().map(|&offset| int(offset) + i64::from(special::PAD));
            rows.extend(std::iter::repeat_n(padding, n_padding).flatten());
            positions.push(0);
            positions.extend((1..=len).rev().map(int));
            positions.extend(std::iter::repeat_n(0, n_padding));
            keep.extend(std::iter::repeat_n(1f32, len + 1));
            keep.extend(std::iter::repeat_n(0f32, n_padding));
            all_ages.push(ages.first().copied().unwrap_or(0.0));
            all_ages.extend_from_slice(ages);
            all_ages.extend(std::iter::repeat_n(0f32, n_padding));
        }
        Self {
            rows: Tensor::from_data(TensorData::new(rows, [batch, seq, n_fields]), device),
            features: features(layout, windows, seq, device),
            ages: Tensor::from_data(TensorData::new(all_ages, [batch, seq]), device),
            edges: layout.has_edges.then(|| edges(windows, seq, device)),
            positions: Tensor::from_data(TensorData::new(positions, [batch, seq]), device),
            keep: Tensor::from_data(TensorData::new(keep, [batch, seq]), device),
            lengths: windows.iter().map(|window| 1 + window.ids.len() / n_fields).collect(),
        }
    }

    /// # Panics
    /// Where a window has more events than that: windows are cut by whoever makes them.
    pub(crate) fn require_len(&self, max_len: usize) {
        let [_, seq] = self.keep.dims();
        assert!(seq - 1 <= max_len, "a window of {} events, at most {max_len} are taken", seq - 1);
    }

    /// Windows of the batch.
    #[must_use]
    pub fn n_windows(&self) -> usize {
        self.lengths.len()
    }

    /// Some of the windows, no longer than the longest of them.
    ///
    /// # Panics
    /// Where the range is empty or reaches beyond the batch.
    #[must_use]
    pub fn part(&self, windows: Range<usize>) -> Self {
        let lengths = self.lengths[windows.clone()].to_vec();
        let (start, n) = (windows.start, lengths.len());
        let [_, longest] = self.keep.dims();
        let seq = lengths.iter().copied().max().expect("a part has a window");
        let of_edges = |edges: &Tensor<B, 3>| {
            let edges = edges.clone().narrow(0, start, n).reshape([n, N_RELATIONS, longest, longest]);
            edges.narrow(2, 0, seq).narrow(3, 0, seq).reshape([n, N_RELATIONS * seq, seq])
        };
        Self {
            rows: self.rows.clone().narrow(0, start, n).narrow(1, 0, seq),
            features: self.features.as_ref().map(|of| of.clone().narrow(0, start, n).narrow(1, 0, seq)),
            ages: self.ages.clone().narrow(0, start, n).narrow(1, 0, seq),
            edges: self.edges.as_ref().map(of_edges),
            positions: self.positions.clone().narrow(0, start, n).narrow(1, 0, seq),
            keep: self.keep.clone().narrow(0, start, n).narrow(1, 0, seq),
            lengths,
        }
    }

    /// The same on another device.
    #[must_use]
    pub fn to_device(self, device: &B::Device) -> Self {
        Self {
            rows: self.rows.to_device(device),
            features: self.features.map(|of| of.to_device(device)),
            ages: self.ages.to_device(device),
            edges: self.edges.map(|of| of.to_device(device)),
            positions: self.positions.to_device(device),
            keep: self.keep.to_device(device),
            lengths: self.lengths,
        }
    }
}

impl<B: AutodiffBackend> EventBatch<B> {
    /// The same for a model from which nothing is learned.
    #[must_use]
    pub fn inner(self) -> EventBatch<B::InnerBackend> {
        EventBatch {
            rows: self.rows.inner(),
            features: self.features.map(Tensor::inner),
            ages: self.ages.inner(),
            edges: self.edges.map(Tensor::inner),
            positions: self.positions.inner(),
            keep: self.keep.inner(),
            lengths: self.lengths,
        }
    }
}

fn features<B: Backend>(
    layout: &BatchLayout,
    windows: &[WindowRows],
    seq: usize,
    device: &B::Device,
) -> Option<Tensor<B, 3>> {
    let n_features = layout.n_features();
    if n_features == 0 {
        return None;
    }
    let mut features = Vec::with_capacity(windows.len() * seq * n_features);
    for (window_idx, window) in windows.iter().enumerate() {
        features.resize(features.len() + n_features, 0.0);
        layout.push_features(&window.values, &window.ages, &mut features);
        features.resize((window_idx + 1) * seq * n_features, 0.0);
    }
    Some(Tensor::from_data(TensorData::new(features, [windows.len(), seq, n_features]), device))
}

fn edges<B: Backend>(windows: &[WindowRows], seq: usize, device: &B::Device) -> Tensor<B, 3> {
    let size = N_RELATIONS * seq * seq;
    let mut heard = vec![0f32; windows.len() * size];
    for (window, heard) in windows.iter().zip(heard.chunks_exact_mut(size)) {
        for &Edge { from, to, kind } in &window.edges {
            // `[CLS]` stands before the events.
            let (from, to, along) = (1 + from, 1 + to, kind as usize);
            heard[(along * seq + to) * seq + from] = 1.0;
            heard[((EdgeType::ALL.len() + along) * seq + from) * seq + to] = 1.0;
        }
        for row in heard.chunks_exact_mut(seq) {
            let degree: f32 = row.iter().sum();
            for weight in row {
                *weight /= degree.max(1.0);
            }
        }
    }
    Tensor::from_data(TensorData::new(heard, [windows.len(), N_RELATIONS * seq, seq]), device)
}

fn int(index: usize) -> i64 {
    i64::try_from(index).expect("an index into a tensor fits")
}
