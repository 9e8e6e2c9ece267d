//! What the gradients of a kernel are computed from.

/// A forward pass that can be gone back.
pub(crate) trait Gradients<const N: usize>: Send + Sync + std::fmt::Debug {
    /// The gradients of the `N` inputs, row after row, from that of the output; one that is not wanted may be empty.
    fn gradients(&self, of_output: &[f32], wanted: [bool; N]) -> [Vec<f32>; N];
}
