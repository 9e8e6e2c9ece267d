//! How epochs are made.

use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use spaxiom_objective::{
    Example, Examples, Flow, Labeled, MaskedEventOptions, ObjectiveContext, ObjectiveOptions, Windows,
};
use spaxiom_token::TokenSequence;

/// A sequence whose events are numbered.
fn numbered(len: u32) -> TokenSequence {
    let mut tokens = TokenSequence::new(1);
    (0..len).for_each(|i| tokens.push([i]));
    tokens
}

/// The ids of the windows of an epoch.
fn epoch(examples: &dyn Examples, seed: u64) -> Vec<Vec<u32>> {
    let mut windows = Vec::new();
    let show = &mut |examples: &[Example<'_>]| {
        windows.extend(examples.iter().map(|example| example.window.ids()));
        Ok(Flow::Continue)
    };
    assert_eq!(examples.epoch(&mut ChaCha8Rng::seed_from_u64(seed), show).unwrap(), Flow::Continue);
    windows
}

proptest! {
    #[test]
    fn every_event_is_in_exactly_one_window_of_an_epoch(len in 0u32..70, max_len in 1usize..20, seed: u64) {
        let sequences = [numbered(len)];
        let windows = Windows::new(&sequences, max_len);
        let in_order = windows.in_order().iter().map(|example| example.window.ids()).collect();
        for epoch in [epoch(&windows, seed), in_order] {
            prop_assert!(epoch.iter().all(|ids| (1..=max_len).contains(&ids.len())));
            let mut seen: Vec<u32> = epoch.concat();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..len).collect::<Vec<_>>());
            // What fits into a window is one.
            prop_assert!(len as usize > max_len || epoch.len() <= 1);
        }
    }
}

proptest! {
    #[test]
    fn with_a_past_every_event_but_the_first_is_asked_for_once(len in 0u32..70, max_len in 2usize..20, n_context in 1usize..19) {
        let n_context = n_context.min(max_len - 1);
        let sequences = [numbered(len)];
        let mut asked = Vec::new();
        for example in Windows::new(&sequences, max_len).with_past(n_context) {
            let ids = example.window.ids();
            prop_assert!(ids.len() <= max_len);
            for (past, id) in ids.iter().enumerate().skip(example.n_context) {
                prop_assert!(past >= n_context.min(*id as usize), "event {id} has {past} events before it");
                asked.push(*id);
            }
        }
        prop_assert_eq!(asked, (1..len).collect::<Vec<_>>());
    }
}

#[test]
fn an_epoch_can_be_made_again_from_its_seed() {
    let sequences = [numbered(100)];
    let windows = Windows::new(&sequences, 8);
    assert_eq!(epoch(&windows, 3), epoch(&windows, 3));
    assert_ne!(epoch(&windows, 3), epoch(&windows, 4));
}

#[test]
fn an_epoch_of_labeled_windows_is_a_part_of_them() {
    let tokens = numbered(50);
    let examples = (0..50).map(|i| Example::of_class(tokens.context(i, 4), i % 3)).collect();
    assert_eq!(epoch(&Labeled::new(examples, 20), 1).len(), 20);
}

#[test]
fn shares_of_masking_are_checked() {
    let check = |options: MaskedEventOptions, want: &str| {
        let error = options.check(&ObjectiveContext::default()).unwrap_err();
        assert!(error.to_string().contains(want), "{error}");
    };
    check(
        MaskedEventOptions { ratio: 0.0, ..MaskedEventOptions::default() },
        "`objectives.mep.ratio` has to be between 0 and 1, got 0",
    );
    check(MaskedEventOptions { hidden: 0.95, ..MaskedEventOptions::default() }, "a sum of at most 1");
}
