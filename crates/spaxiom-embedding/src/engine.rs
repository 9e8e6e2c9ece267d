//! Training and encoding without generics: what a backend can do, and the backends by name.

mod backend;
mod burn_engine;
mod cpu_encoder;
mod interface;
mod name;
mod reduce;

pub use self::backend::engine;
pub use self::interface::{
    Engine, ModelShape, SiteWalk, TextEncoder, TextShape, TextTraining, TrainingInput, TrainingOutput, Weights,
    WindowEncoder,
};
pub use self::name::BackendName;
pub(crate) use self::reduce::{Reduced, fit_components};
