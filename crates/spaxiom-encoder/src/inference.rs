//! Encoding on the CPU without tensors of a backend: the weights of a trained encoder, and nothing that training needs.
//!
//! Rows of all windows lie one after the other, so that nothing is computed for padding; every product is one matrix product
//! over all of them; and the last layer of attention is computed only for the rows that make the vectors.
//! The burn modules are the definition: what is computed here is tested to agree with them.

pub(crate) mod elementwise;
mod event_encoder;
mod linear;
mod recurrent;
mod rows;
mod transformer;
mod turning;

pub use event_encoder::EventEncoderInference;
pub use linear::DenseLinear;
pub use recurrent::RecurrentInference;
pub use transformer::TransformerInference;
