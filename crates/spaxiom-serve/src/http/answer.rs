//! Answers: JSON, or why there is none, with a code for programs and a sentence for people.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use super::shared::Shared;
use crate::desk::Desk;
use crate::error::ServeError;
use crate::writer::Refusal;

/// Asks on a thread for work that computes.
pub(super) async fn answer<T: Serialize + Send + 'static>(
    Shared { places, .. }: Shared,
    desk: Desk,
    question: impl FnOnce(&Desk) -> Result<T, ServeError> + Send + 'static,
) -> Response {
    let Ok(place) = places.try_acquire_owned() else {
        return later(refused(StatusCode::TOO_MANY_REQUESTS, "busy", "too many questions at once"));
    };
    let answered = tokio::task::spawn_blocking(move || {
        let answer = question(&desk);
        drop(place);
        answer
    });
    match answered.await {
        Ok(Ok(answer)) => Json(answer).into_response(),
        Ok(Err(error)) if error.is_of_question() => refused(StatusCode::BAD_REQUEST, "question", &error.to_string()),
        Ok(Err(error)) => {
            tracing::error!("{error}");
            refused(StatusCode::SERVICE_UNAVAILABLE, "store", "the store cannot be read or written now")
        }
        Err(_) => refused(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the question could not be answered"),
    }
}

/// To be asked again in a second.
pub(super) fn later(mut response: Response) -> Response {
    response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
    response
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code) = match &self {
            Self::ReadOnly => (StatusCode::FORBIDDEN, "read-only"),
            Self::Asked(_) => (StatusCode::BAD_REQUEST, "question"),
            Self::Busy => (StatusCode::TOO_MANY_REQUESTS, "busy"),
            Self::NotStored => (StatusCode::SERVICE_UNAVAILABLE, "store"),
            Self::Ending => (StatusCode::SERVICE_UNAVAILABLE, "ending"),
        };
        let response = refused(status, code, &self.to_string());
        if matches!(self, Self::Busy | Self::NotStored) { later(response) } else { response }
    }
}

pub(super) fn refused(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({"error": {"code": code, "message": message}}))).into_response()
}
