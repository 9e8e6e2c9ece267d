//! The index of an open store: loaded behind the first searches, built when it is asked for.

use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::IndexError;
use crate::store::cache::Covering;
use crate::store::view::View;
use crate::vectors::{VectorId, VectorSource};

/// Where the index of a store stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum IndexState {
    /// Every vector is compared: the kind has no index, or its file is missing, damaged or of other settings.
    None,
    /// The file is being read; until then every vector is compared.
    Loading,
    /// It is being built; until then the index before it serves, or every vector is compared.
    Building {
        /// Vectors that are done.
        n_done: usize,
        /// Vectors in all.
        n_vectors: usize,
    },
    /// It serves.
    Ready,
    /// The last build failed, for this reason.
    Failed(String),
}

/// The index and its state.
#[derive(Debug)]
pub(super) struct Slot {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Debug)]
struct Inner {
    state: IndexState,
    covering: Option<Arc<Covering>>,
}

impl Inner {
    fn set(&mut self, covering: Option<Covering>) {
        self.state = if covering.is_some() { IndexState::Ready } else { IndexState::None };
        self.covering = covering.map(Arc::new);
    }
}

impl Slot {
    pub(super) fn new() -> Self {
        Self { inner: Mutex::new(Inner { state: IndexState::None, covering: None }), changed: Condvar::new() }
    }

    fn locked(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what others may wait for.
    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        let result = work(&mut self.locked());
        self.changed.notify_all();
        result
    }

    pub(super) fn state(&self) -> IndexState {
        self.locked().state.clone()
    }

    pub(super) fn set_state(&self, state: IndexState) {
        self.with(|inner| inner.state = state);
    }

    /// Puts an index in place, or takes it away.
    pub(super) fn set(&self, covering: Option<Covering>) {
        self.with(|inner| inner.set(covering));
    }

    /// Puts what was read in place, unless a build began or ended meanwhile.
    pub(super) fn set_loaded(&self, loaded: Result<Option<Covering>, IndexError>) {
        self.with(|inner| match loaded {
            _ if inner.state != IndexState::Loading => (),
            Ok(covering) => inner.set(covering),
            Err(error) => inner.state = IndexState::Failed(error.to_string()),
        });
    }

    /// The index, if it is of this generation.
    pub(super) fn covering(&self, generation: u64) -> Option<Arc<Covering>> {
        self.locked().covering.clone().filter(|covering| covering.generation == generation)
    }

    /// Marks a build as begun; false if one is going on.
    pub(super) fn begin(&self, n_vectors: usize) -> bool {
        self.with(|inner| {
            let is_free = !matches!(inner.state, IndexState::Building { .. });
            if is_free {
                inner.state = IndexState::Building { n_done: 0, n_vectors };
            }
            is_free
        })
    }

    /// Waits until nothing is loaded or built.
    pub(super) fn wait(&self) -> IndexState {
        let mut inner = self.locked();
        while matches!(inner.state, IndexState::Loading | IndexState::Building { .. }) {
            inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        inner.state.clone()
    }
}

/// The vectors of a view that have a record.
#[derive(Debug)]
pub(super) struct LiveVectors {
    view: Arc<View>,
    ids: Vec<VectorId>,
}

impl LiveVectors {
    pub(super) fn new(view: Arc<View>) -> Self {
        Self { ids: view.live().iter().collect(), view }
    }
}

impl VectorSource for LiveVectors {
    fn dim(&self) -> usize {
        self.view.vectors.dim()
    }

    fn ids(&self) -> &[VectorId] {
        &self.ids
    }

    fn read(&self, places: Range<usize>, into: &mut Vec<f32>) -> Result<(), IndexError> {
        into.clear();
        let mut read = Vec::new();
        for run in self.ids[places].chunk_by(|a, b| a.0 + 1 == b.0) {
            for part in run.chunks(4_096) {
                let first = usize::try_from(part[0].0).expect("rows are not negative");
                self.view.vectors.read(first..first + part.len(), &mut read)?;
                self.view.vectors.widen(&read, into);
            }
        }
        Ok(())
    }
}
