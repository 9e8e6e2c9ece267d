//! Tests of `spaxiom-token` through its border.

mod tfidf;
mod tokenizer;
