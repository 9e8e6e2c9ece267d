//! The vectors of texts.

use serde_json::{Value, json};

use super::asked::EmbeddingsAsked;
use super::state::Desk;
use crate::error::ServeError;

/// Texts at once.
const MAX_TEXTS: usize = 256;

impl Desk {
    /// The vectors of texts among those of the store, in the shape of OpenAI's `/v1/embeddings`.
    ///
    /// # Errors
    /// [`ServeError::Asked`] for a run without a text encoder, and for an input that is neither a text nor a list of them.
    pub fn embeddings(&self, asked: &EmbeddingsAsked) -> Result<Value, ServeError> {
        let wrong = || ServeError::Asked(format!("`input` is a text, or a list of 1 to {MAX_TEXTS} texts"));
        let texts: Vec<&str> = match &asked.input {
            Value::String(text) => vec![text],
            Value::Array(texts) => texts.iter().map(Value::as_str).collect::<Option<_>>().ok_or_else(wrong)?,
            _ => return Err(wrong()),
        };
        if texts.is_empty() || texts.len() > MAX_TEXTS {
            return Err(wrong());
        }
        let pipeline = self.pipeline();
        let mut data = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            let vector = pipeline.text_vector(text)?.ok_or_else(|| {
                ServeError::Asked("the run has no text encoder: serve one of `finetune --task retrieval`".into())
            })?;
            data.push(json!({"object": "embedding", "index": index, "embedding": vector}));
        }
        let n_words: usize = texts.iter().map(|text| text.split_whitespace().count()).sum();
        Ok(json!({
            "object": "list",
            "data": data,
            "model": self.run_name(),
            "usage": {"prompt_tokens": n_words, "total_tokens": n_words},
        }))
    }
}
