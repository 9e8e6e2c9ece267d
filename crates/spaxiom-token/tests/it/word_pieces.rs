//! Word pieces and the texts that they are learned from.

use spaxiom_event::Event;
use spaxiom_token::{Tokenizer, TokenizerOptions, WordPieces};

use crate::tokenizer::sequence;

fn texts() -> Vec<String> {
    let event = |kind: &str, zone: &str| {
        let json =
            format!(r#"{{"type": "{kind}", "zone": "{zone}", "timestamp": "2025-01-06T10:23:45Z", "length": 8}}"#);
        Event::from_json(&json).unwrap()
    };
    let events = vec![event("QueueFormed", "loading_dock"), event("DoorOpened", "hall-2")];
    Tokenizer::fit(&TokenizerOptions::default(), &[sequence(events)]).unwrap().query_texts()
}

fn trained() -> WordPieces {
    WordPieces::train(texts().iter().map(String::as_str), 200).unwrap()
}

#[test]
fn texts_have_the_words_of_the_training_part() {
    let texts = texts();
    for want in ["queue formed in the morning", "door opened in loading dock", "what happened in the hall 2"] {
        assert!(texts.iter().any(|text| text == want), "{want}: {texts:?}");
    }
    assert!(texts.iter().any(|text| text.contains("length")));
}

#[test]
fn the_same_texts_give_the_same_artifact_and_it_reads_back() {
    let pieces = trained();
    assert_eq!(pieces.to_json(), trained().to_json());
    let read = WordPieces::from_json(&pieces.to_json()).unwrap();
    for text in ["queue formed at the loading dock", "Öffnet jemand die Tür?", ""] {
        let ids = pieces.encode(text, 32).unwrap();
        assert_eq!(read.encode(text, 32).unwrap(), ids);
        assert!(ids.iter().all(|id| (*id as usize) < pieces.n_pieces()) && ids[0] == WordPieces::CLS);
    }
    assert_eq!(pieces.encode("queue formed at the loading dock", 4).unwrap().len(), 4);
}

#[test]
fn known_words_are_one_piece_and_case_says_nothing() {
    let pieces = trained();
    let ids = pieces.encode("queue formed", 32).unwrap();
    assert_eq!(ids.len(), 3);
    assert_eq!(pieces.encode("Queue FORMED", 32).unwrap(), ids);
    assert!(pieces.encode("doors", 32).unwrap().len() > 2, "an unknown word has pieces");
}

#[test]
fn what_is_no_vocabulary_is_refused() {
    assert_eq!(WordPieces::from_json("{}").unwrap_err().to_string(), "these are no word pieces");
}
