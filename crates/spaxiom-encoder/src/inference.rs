//! Encoding on the CPU without tensors of a backend: the weights of a trained encoder, and nothing that training needs.
//!
//! Rows of all windows lie one after the other, so that nothing is computed for padding; every product is one matrix product
//! over all of them; and the last layer of attention is computed only for the rows that make the vectors.
//! The arithmetic is that of the kernels. The burn modules are the definition: vectors are tested to agree with them.

pub(crate) mod linear;
pub(crate) mod recurrent;
mod rows;
pub(crate) mod transformer;
pub(crate) mod walk;
