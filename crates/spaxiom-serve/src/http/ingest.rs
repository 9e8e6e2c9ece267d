//! What programs write: events, acknowledgements of alerts, labels of hits.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;
use spaxiom_embedding::{Event, EventReader, ReadOptions};
use spaxiom_stream::{Given, Stored};
use tokio::sync::oneshot;

use super::answer::{answer, refused};
use super::shared::Shared;
use crate::desk::{AckAsked, LabelAsked};
use crate::tokens::Asker;
use crate::writer::Refusal;

/// What became of events.
#[derive(Debug, Default, Serialize)]
struct Ingested {
    new: usize,
    known: usize,
    late: usize,
    rejected: usize,
    lines: Vec<Line>,
}

/// What became of a line; of one with several events, of each of them.
#[derive(Debug, Serialize)]
struct Line {
    /// From 1 on.
    line: usize,
    #[serde(flatten)]
    fate: Fate,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case", tag = "status")]
enum Fate {
    New { id: String },
    Known { id: String },
    Late { id: String },
    Rejected { reason: String },
}

/// Lines as events, each with the number of its line, and what is none.
#[derive(Debug, Default)]
struct Parsed {
    numbers: Vec<usize>,
    events: Vec<Event>,
    rejected: Vec<Line>,
}

/// Stores the events of the body, one JSON object per line, and answers once they are durable.
pub(super) async fn events(
    State(shared): State<Shared>,
    Extension(asker): Extension<Asker>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return refused(rejection.status(), "body", "a body has at most 4 MiB: send the lines in several");
        }
        Err(rejection) => return refused(rejection.status(), "body", &rejection.body_text()),
    };
    let Some(writer) = shared.writer.clone() else { return Refusal::ReadOnly.into_response() };
    let Ok(place) = shared.ingests.clone().try_acquire_owned() else { return Refusal::Busy.into_response() };
    let reading = Arc::clone(&writer);
    let parsed = tokio::task::spawn_blocking(move || parse(&body, reading.read(), &asker)).await;
    let Ok(Parsed { numbers, events, rejected }) = parsed else {
        return refused(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the events could not be read");
    };
    let ids: Vec<String> = events.iter().map(|event| event.id.to_string()).collect();
    let (sender, answered) = oneshot::channel();
    let given = Given::Events(events, Box::new(move |stored| drop(sender.send(stored))));
    let stored = match writer.durable(given, answered).await {
        Ok(stored) => stored,
        Err(refusal) => return refusal.into_response(),
    };
    drop(place);
    let mut ingested = Ingested { rejected: rejected.len(), lines: rejected, ..Ingested::default() };
    for ((line, id), stored) in numbers.into_iter().zip(ids).zip(stored) {
        let (count, fate) = match stored {
            Stored::New => (&mut ingested.new, Fate::New { id }),
            Stored::Known => (&mut ingested.known, Fate::Known { id }),
            Stored::Late => (&mut ingested.late, Fate::Late { id }),
        };
        *count += 1;
        ingested.lines.push(Line { line, fate });
    }
    ingested.lines.sort_by_key(|line| line.line);
    let status = if ingested.rejected > 0 { StatusCode::MULTI_STATUS } else { StatusCode::OK };
    (status, Json(ingested)).into_response()
}

/// Somebody has an alert, and may have found what it was.
pub(super) async fn acknowledge(
    State(shared): State<Shared>,
    Extension(asker): Extension<Asker>,
    asked: Result<Json<AckAsked>, JsonRejection>,
) -> Response {
    let Json(asked) = match asked {
        Ok(asked) => asked,
        Err(rejection) => return refused(rejection.status(), "body", &rejection.body_text()),
    };
    let Some(writer) = &shared.writer else { return Refusal::ReadOnly.into_response() };
    let desk = shared.desk.for_sites(asker.sites());
    match writer.acknowledge(desk, asked).await {
        Ok(answer) => Json(answer).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

/// Keeps what somebody says of a hit.
pub(super) async fn label(
    State(shared): State<Shared>,
    Extension(asker): Extension<Asker>,
    asked: Result<Json<LabelAsked>, JsonRejection>,
) -> Response {
    let Json(asked) = match asked {
        Ok(asked) => asked,
        Err(rejection) => return refused(rejection.status(), "body", &rejection.body_text()),
    };
    if shared.writer.is_none() {
        return Refusal::ReadOnly.into_response();
    }
    let desk = shared.desk.for_sites(asker.sites());
    answer(shared, desk, move |desk| desk.label(&asked, asker.name())).await
}

fn parse(body: &[u8], options: &ReadOptions, asker: &Asker) -> Parsed {
    let mut parsed = Parsed::default();
    for (at, line) in body.split(|byte| *byte == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let number = at + 1;
        let mut reject = |reason: String| parsed.rejected.push(Line { line: number, fate: Fate::Rejected { reason } });
        // What is delivered again is one event: its id is made of what it says, where it has none.
        let input = Box::new(std::io::Cursor::new(line.to_vec()));
        let reader = match EventReader::from_stream(input, "the line", options) {
            Ok(reader) => reader.of_deliveries(),
            Err(error) => {
                reject(error.to_string());
                continue;
            }
        };
        for item in reader {
            match item {
                Ok(record) if asker.may_see(record.event.site_id.as_str()) => {
                    parsed.numbers.push(number);
                    parsed.events.push(record.event);
                }
                Ok(record) => reject(format!("this token is not for the site `{}`", record.event.site_id)),
                Err(rejected) => reject(rejected.reason.to_string()),
            }
        }
    }
    parsed
}
