//! What all routes share.

use std::sync::Arc;

use spaxiom_embedding::StoreAdded;
use tokio::sync::{Semaphore, broadcast, watch};

use crate::desk::{AlertRow, Desk};
use crate::metrics::Metrics;
use crate::tokens::Tokens;
use crate::writer::Writer;

/// Questions that are answered at once; more are told to come again.
const N_AT_ONCE: usize = 64;

/// Bodies of events that are taken in at once.
const N_INGESTS: usize = 16;

/// Who listens at once.
const N_LISTENERS: usize = 2_000;

/// Wrong tokens that are told so at once; more have to wait longer.
const N_WRONG_AT_ONCE: usize = 16;

/// News that wait for a slow listener; one that is slower reads from the store again.
const N_WAITING: usize = 64;

/// What is new.
#[derive(Debug, Clone)]
pub(super) enum News {
    /// What was added after the record of this number.
    Added(u64, Arc<[StoreAdded]>),
    /// Alerts that are new, or stand elsewhere.
    Alerts(Arc<[AlertRow]>),
}

#[derive(Clone)]
pub(super) struct Shared {
    pub(super) desk: Desk,
    pub(super) writer: Option<Arc<Writer>>,
    pub(super) places: Arc<Semaphore>,
    pub(super) ingests: Arc<Semaphore>,
    pub(super) listeners: Arc<Semaphore>,
    pub(super) metrics: Arc<Metrics>,
    /// None where only this machine is answered.
    pub(super) tokens: Option<Arc<Tokens>>,
    pub(super) wrong: Arc<Semaphore>,
    pub(super) news: broadcast::Sender<News>,
    pub(super) ending: watch::Receiver<bool>,
}

impl Shared {
    pub(super) fn new(
        desk: Desk,
        tokens: Option<Tokens>,
        writer: Option<Writer>,
        ending: watch::Receiver<bool>,
    ) -> Self {
        Self {
            desk,
            writer: writer.map(Arc::new),
            places: Arc::new(Semaphore::new(N_AT_ONCE)),
            ingests: Arc::new(Semaphore::new(N_INGESTS)),
            listeners: Arc::new(Semaphore::new(N_LISTENERS)),
            metrics: Arc::default(),
            tokens: tokens.map(Arc::new),
            wrong: Arc::new(Semaphore::new(N_WRONG_AT_ONCE)),
            news: broadcast::channel(N_WAITING).0,
            ending,
        }
    }

    /// Questions that are being answered.
    pub(super) fn n_answering(&self) -> usize {
        N_AT_ONCE - self.places.available_permits()
    }
}
