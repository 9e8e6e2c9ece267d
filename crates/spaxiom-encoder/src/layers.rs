//! Layers as burn modules: the definition that every faster way is tested against.

pub(crate) mod attention;
pub(crate) mod dense;
pub(crate) mod embedding;
pub(crate) mod graph;
pub(crate) mod modality;
pub(crate) mod pool;
pub(crate) mod projection;
pub(crate) mod readout;
pub(crate) mod recurrent;
pub(crate) mod relative_bias;
pub(crate) mod rotation;
pub(crate) mod transformer;
