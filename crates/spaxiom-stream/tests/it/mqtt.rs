//! A real broker: nothing is lost when this program or the broker ends, and nothing is stored twice.

use spaxiom_embedding::{Event, ReadOptions};
use spaxiom_stream::{SourceAddress, StreamOptions, Worker};
use tempfile::TempDir;

use crate::broker::Broker;
use crate::{Until, WORLD, stream, vectors};

/// Messages without ids, which are then made of what they say.
pub(crate) fn payloads(events: &[Event]) -> Vec<String> {
    let payload = |event: &Event| {
        let mut payload = serde_json::to_value(event).unwrap();
        payload.as_object_mut().unwrap().remove("id");
        payload.to_string()
    };
    events.iter().map(payload).collect()
}

#[test]
fn nothing_is_lost_when_the_stream_or_the_broker_ends() {
    let Some(mut broker) = Broker::start() else { return };
    let folder = TempDir::new().unwrap();
    let events = &WORLD.events[..900];
    let store = folder.path().join("store");
    let source: SourceAddress = format!("mqtt://127.0.0.1:{}/b/+/events", broker.port()).parse().unwrap();
    let options = || StreamOptions { commit_events: 16, ..StreamOptions::default() };
    // A first stream makes itself known, and ends when some of it is durable.
    let first = {
        let pipeline = WORLD.pipeline(&store);
        let mut feed = source.open("test", None, None, ReadOptions::default()).unwrap();
        broker.publish("b/dock/events", &payloads(&events[..300]));
        let mut worker = Worker::new(&pipeline, None, options(), Vec::new()).unwrap();
        worker.run(&mut feed, &mut Until::durable(100)).unwrap()
    };
    assert!((100..300).contains(&first.new), "{first:?}");
    // While nobody listens the broker keeps what comes, also over its own end.
    broker.publish("b/dock/events", &payloads(&events[300..600]));
    broker.restart();
    let second = stream(&source, &store, options(), Vec::new(), 600 - first.new);
    assert_eq!(first.new + second.new, 600, "{second:?}");
    // The broker ends while the stream goes on.
    let third = {
        let pipeline = WORLD.pipeline(&store);
        let mut feed = source.open("test", None, None, ReadOptions::default()).unwrap();
        broker.restart();
        broker.publish("b/dock/events", &payloads(&events[600..]));
        let mut worker = Worker::new(&pipeline, None, options(), Vec::new()).unwrap();
        worker.run(&mut feed, &mut Until::durable(300)).unwrap()
    };
    assert_eq!(third.new, 300, "{third:?}");
    let path = folder.path().join("events.jsonl");
    fs_err::write(&path, payloads(events).join("\n")).unwrap();
    let file = SourceAddress::File(path);
    let undisturbed = folder.path().join("undisturbed");
    stream(&file, &undisturbed, StreamOptions::default(), Vec::new(), 900);
    assert!(vectors(&store) == vectors(&undisturbed));
}

#[test]
fn a_broker_that_is_not_there_is_told() {
    let source: SourceAddress = "mqtt://127.0.0.1:1/x".parse().unwrap();
    let error = source.open("test", None, None, ReadOptions::default()).err().unwrap().to_string();
    assert!(error.contains("127.0.0.1:1"), "{error}");
}
