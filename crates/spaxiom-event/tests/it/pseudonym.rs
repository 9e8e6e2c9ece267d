//! Pseudonyms: the same for the same key, and nothing without it.

use spaxiom_event::{Event, Pseudonymizer, ReadOptions};

use crate::read_with;

#[test]
fn an_entity_becomes_its_keyed_hash_on_the_way_in() {
    let key = Pseudonymizer::new(b"0123456789abcdef").unwrap();
    let entity = |key: Option<&Pseudonymizer>| {
        let options = ReadOptions { pseudonymizer: key.cloned(), ..ReadOptions::default() };
        let records = read_with(r#"{"type":"A","time":1,"entity_id":"patient-7"}"#, &options);
        let event: Event = records[0].as_ref().unwrap().event.clone();
        (event.entity_id.unwrap().to_string(), event.id)
    };
    // HMAC-SHA-256 of `patient-7` with this key, first 16 bytes, as Python's `hmac` gives it.
    assert_eq!(entity(Some(&key)).0, "2ac14a4ef450c8bff9b023310f7630db");
    let other = Pseudonymizer::new(b"0123456789abcdeg").unwrap();
    assert_ne!(entity(Some(&key)).0, entity(Some(&other)).0);
    assert_eq!(entity(None).0, "patient-7");
    assert_ne!(entity(Some(&key)).1, entity(None).1, "the id is derived from what is kept");
}

#[test]
fn a_short_key_is_refused_and_no_key_is_printed() {
    let error = Pseudonymizer::new(b"secret").unwrap_err().to_string();
    assert!(error.contains("needs 16 bytes or more, got 6"), "{error}");
    let file = crate::written("key", b"0123456789abcdef\n");
    let key = Pseudonymizer::from_file(&file).unwrap();
    assert_eq!(key.pseudonym("a"), Pseudonymizer::new(b"0123456789abcdef").unwrap().pseudonym("a"));
    assert!(!format!("{key:?}").contains("0123"));
}
