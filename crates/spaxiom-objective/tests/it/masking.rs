//! What a masked batch shows an encoder.

use std::sync::{Arc, Mutex};

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use burn_flex::Flex;
use spaxiom_encoder::{BatchLayout, Encoded, Encoder, EventBatch};
use spaxiom_event::{Event, group_by_site};
use spaxiom_objective::{Example, MaskedEventOptions, Model, ObjectiveContext, ObjectiveOptions, judge};
use spaxiom_token::{EdgeType, LinkOptions, Tokenizer, TokenizerOptions, special};

/// Writes down the first field and the edges of the batch, and encodes nothing.
#[derive(Module, Debug)]
struct Spy<B: Backend> {
    weight: Param<Tensor<B, 1>>,
    #[module(skip)]
    seen: Arc<Mutex<(Vec<i64>, Vec<f32>)>>,
}

impl<B: Backend> Encoder<B> for Spy<B> {
    fn d_model(&self) -> usize {
        4
    }

    fn max_len(&self) -> usize {
        64
    }

    fn encode(&self, batch: &EventBatch<B>) -> Encoded<B> {
        let [n_windows, seq, _] = batch.rows.dims();
        let types = batch.rows.clone().narrow(2, 0, 1).into_data().convert::<i64>().to_vec().unwrap();
        let edges = batch.edges.clone().unwrap().into_data().to_vec().unwrap();
        *self.seen.lock().unwrap() = (types, edges);
        let device = batch.keep.device();
        Encoded { states: Tensor::zeros([n_windows, seq, 4], &device), pooled: Tensor::zeros([n_windows, 4], &device) }
    }
}

#[test]
fn the_edges_of_a_masked_event_tell_neither_its_place_nor_its_cause() {
    let start: chrono::DateTime<chrono::Utc> = "2025-01-06T10:00:00Z".parse().unwrap();
    let mut events: Vec<Event> = Vec::new();
    for idx in 0..40 {
        let mut event = Event::new("DoorOpened", "clinic", start + chrono::TimeDelta::seconds(idx));
        event.zone = Some("room".into());
        event.caused_by = events.last().map(|cause| cause.id.clone()).into_iter().collect();
        events.push(event.with_derived_id());
    }
    let sequences = group_by_site(events);
    let options = TokenizerOptions { links: Some(LinkOptions::default()), ..TokenizerOptions::default() };
    let tokenizer = Tokenizer::fit(&options, &sequences).unwrap();
    let tokens = tokenizer.tokenize(&sequences[0]);
    let layout = BatchLayout::of(&tokenizer).with_edges();
    let seen = Arc::default();
    let spy = Spy { weight: Param::from_tensor(Tensor::zeros([1], &Default::default())), seen: Arc::clone(&seen) };
    // Every predicted event is hidden, so that what is predicted can be seen here.
    let options = MaskedEventOptions { hidden: 1.0, replaced: 0.0, ..MaskedEventOptions::default() };
    let heads = options.init::<Flex>(4, &layout, &ObjectiveContext::default(), 0, &Default::default());
    let model = Model::new(spy, heads);
    let example = Example::new(tokens.window(0, 40));
    let _ = judge(&model, [&[example][..]], 1, &Default::default());
    let (types, edges) = seen.lock().unwrap().clone();
    let seq = types.len();
    let is_joined = |relation: usize, position: usize| {
        let row = |at: usize| (relation * seq + at) * seq;
        let hears = edges[row(position)..row(position) + seq].iter().any(|weight| *weight > 0.0);
        hears || (0..seq).any(|other| edges[row(other) + position] > 0.0)
    };
    let mut n_masked = 0;
    for (position, kind) in types.iter().enumerate().skip(1) {
        let is_masked = *kind == i64::from(special::MASK);
        n_masked += usize::from(is_masked);
        for relation in 0..6 {
            let tells = EdgeType::ALL[relation % 3] != EdgeType::Temporal;
            if is_masked && tells {
                assert!(!is_joined(relation, position), "{relation} at {position}");
            }
        }
        assert!(is_joined(EdgeType::Temporal as usize, position));
    }
    assert!((1..30).contains(&n_masked), "{n_masked}");
    let is_shown = |position: usize| types[position] != i64::from(special::MASK);
    assert!((1..seq).any(|position| is_shown(position) && is_joined(EdgeType::Causal as usize, position)));
}
