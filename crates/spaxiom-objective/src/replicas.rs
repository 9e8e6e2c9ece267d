//! Copies of an encoder that share the windows of a step.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::module::{AutodiffModule, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;
use rayon::{ThreadPool, ThreadPoolBuilder};
use spaxiom_encoder::{Encoded, Encoder, EventBatch};

use crate::error::ObjectiveError;
use crate::precision::{Precision, halved, widen};

/// Devices that share the windows of a step, and threads that drive them.
///
/// Every thread has a pool of its own: one that waits in the middle of a backward pass and takes up the work of another copy
/// would wait for locks that it holds itself.
pub(crate) struct Crew<B: AutodiffBackend> {
    devices: Vec<B::Device>,
    precision: Precision,
    pools: Vec<ThreadPool>,
}

impl<B: AutodiffBackend> Crew<B> {
    /// A copy for each of the devices, of which several may be the same; the first one has the heads.
    ///
    /// # Errors
    /// [`ObjectiveError::Setting`] for a precision that a device does not have.
    pub(crate) fn new(devices: &[B::Device], precision: Precision) -> Result<Self, ObjectiveError> {
        devices.iter().try_for_each(|device| precision.check::<B>(device))?;
        let n_threads = rayon::current_num_threads();
        let n_pools = devices.len().min(n_threads);
        let share = |pool: usize| n_threads / n_pools + usize::from(pool < n_threads % n_pools);
        let pool = |pool| ThreadPoolBuilder::new().num_threads(share(pool)).build();
        let pools = (0..n_pools).map(pool).collect::<Result<_, _>>().map_err(ObjectiveError::Threads)?;
        Ok(Self { devices: devices.to_vec(), precision, pools })
    }

    /// Copies of `encoder`, one for each device.
    pub(crate) fn copies<E: AutodiffModule<B>>(&self, encoder: &E) -> Replicas<'_, B, E> {
        let copy = |device: &B::Device| {
            let copy = encoder.clone().map(&mut Fork(device));
            Mutex::new(match self.precision {
                Precision::Full => copy,
                Precision::Mixed => halved::<B, _>(copy),
            })
        };
        Replicas { crew: self, copies: self.devices.iter().map(copy).collect(), pending: Mutex::default() }
    }

    /// Does all pieces of work, as many at a time as there are threads; gives the results in the order of the work.
    fn map<T: Send, R: Send>(&self, work: Vec<T>, each: impl Fn(usize, T) -> R + Sync) -> Vec<R> {
        let results = Mutex::new(work.iter().map(|_| None).collect::<Vec<_>>());
        let work = Mutex::new(work.into_iter().enumerate());
        let (results_of, work_of) = (&results, &work);
        std::thread::scope(|scope| {
            for pool in &self.pools {
                let next = || locked(work_of).next();
                let each = &each;
                scope.spawn(move || {
                    pool.install(|| {
                        while let Some((at, piece)) = next() {
                            let result = each(at, piece);
                            locked(results_of)[at] = Some(result);
                        }
                    });
                });
            }
        });
        let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.into_iter().map(|result| result.expect("every piece of work is done")).collect()
    }
}

/// A thread that panics takes the run down with it, so what it left behind is not read.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An encoder that is several: each encodes a share of the windows of a batch, at the same time as the others.
///
/// States and vectors are leaves of the graph of whoever asked; [`Replicas::backward`] hands their gradients on.
/// So heads and losses see whole batches, and gradients are those of one encoder, whatever is computed of the vectors.
pub(crate) struct Replicas<'a, B: AutodiffBackend, E> {
    crew: &'a Crew<B>,
    copies: Vec<Mutex<E>>,
    pending: Mutex<Vec<Pending<B>>>,
}

/// A batch whose gradients are awaited.
struct Pending<B: AutodiffBackend> {
    /// The leaves.
    encoded: Encoded<B>,
    shares: Vec<Share<B>>,
}

/// What one copy encoded.
struct Share<B: AutodiffBackend> {
    windows: Range<usize>,
    encoded: Encoded<B>,
}

impl<B, E> Replicas<'_, B, E>
where
    B: AutodiffBackend,
    E: Encoder<B> + AutodiffModule<B>,
    E::InnerModule: Encoder<B::InnerBackend>,
{
    /// Takes the gradients of all that was encoded since the last call to the parameters of the copies.
    ///
    /// Gives them by the parameters of the encoder that was copied, on the first device.
    pub(crate) fn backward(&self, gradients: &B::Gradients) -> Vec<GradientsParams> {
        let pending = std::mem::take(&mut *locked(&self.pending));
        let mut work: Vec<Vec<(Encoded<B>, ShareGradients<B>)>> = self.copies.iter().map(|_| Vec::new()).collect();
        for Pending { encoded, shares } in pending {
            let (states, pooled) = (encoded.states.grad(gradients), encoded.pooled.grad(gradients));
            for (of_copy, Share { windows, encoded }) in work.iter_mut().zip(shares) {
                let [n, seq, _] = encoded.states.dims();
                let of_states = states.clone().map(|of| of.narrow(0, windows.start, n).narrow(1, 0, seq));
                let of_pooled = pooled.clone().map(|of| of.narrow(0, windows.start, n));
                of_copy.push((encoded, ShareGradients { states: of_states, pooled: of_pooled }));
            }
        }
        let found = self.crew.map(work, |at, of_copy| {
            let device = &self.crew.devices[at];
            // Its gradients are those of the loss, through these windows.
            let products = of_copy.into_iter().flat_map(|(encoded, ShareGradients { states, pooled })| {
                let of_states =
                    states.map(|of| (encoded.states.clone() * Tensor::from_inner(of.to_device(device))).sum());
                let of_pooled = pooled.map(|of| (encoded.pooled * Tensor::from_inner(of.to_device(device))).sum());
                [of_states, of_pooled].into_iter().flatten()
            });
            let sum = products.reduce(|sum, product| sum + product)?;
            let copy = locked(&self.copies[at]);
            let mut gradients = GradientsParams::from_grads(sum.backward(), &*copy);
            if self.crew.precision == Precision::Mixed {
                widen::<B>(&mut gradients, &*copy);
            }
            Some(gradients.to_device(&self.crew.devices[0], &*copy))
        });
        found.into_iter().flatten().collect()
    }

    /// What the copies give of the windows of a batch, share by share.
    fn shares(&self, batch: &EventBatch<B>, encode: impl Fn(&E, EventBatch<B>) -> Encoded<B> + Sync) -> Vec<Share<B>> {
        let n = batch.n_windows();
        let size = n.div_ceil(self.copies.len()).max(1);
        let windows: Vec<Range<usize>> = (0..n).step_by(size).map(|start| start..(start + size).min(n)).collect();
        self.crew.map(windows, |at, windows| {
            let part = batch.part(windows.clone()).to_device(&self.crew.devices[at]);
            Share { windows, encoded: encode(&locked(&self.copies[at]), part) }
        })
    }

    /// The shares side by side on the first device, without their graphs.
    fn gathered(&self, shares: &[Share<B>], batch: &EventBatch<B>) -> Encoded<B> {
        let ([_, seq], device) = (batch.keep.dims(), &self.crew.devices[0]);
        let states = shares.iter().map(|share| padded(share.encoded.states.clone().detach().to_device(device), seq));
        let pooled = shares.iter().map(|share| share.encoded.pooled.clone().detach().to_device(device));
        Encoded { states: Tensor::cat(states.collect(), 0), pooled: Tensor::cat(pooled.collect(), 0) }
    }
}

/// Copies parameters to a device, as leaves of their own: a copy that burn forks stays in the graph of what was copied.
struct Fork<'a, B: AutodiffBackend>(&'a B::Device);

impl<B: AutodiffBackend> ModuleMapper<B> for Fork<'_, B> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        param.map(|tensor| {
            let copy = Tensor::from_inner(tensor.clone().inner().to_device(self.0));
            if tensor.is_require_grad() { copy.require_grad() } else { copy }
        })
    }
}

/// An encoder of which nothing is learned.
pub(crate) struct Frozen<'a, E>(pub(crate) &'a E);

impl<B: AutodiffBackend, E: Encoder<B>> Encoder<B> for Frozen<'_, E> {
    fn d_model(&self) -> usize {
        self.0.d_model()
    }

    fn max_len(&self) -> usize {
        self.0.max_len()
    }

    fn encode(&self, batch: &EventBatch<B>) -> Encoded<B> {
        self.0.encode_detached(batch)
    }
}

/// An encoder that is one: what nothing is learned from goes through its weights without a graph.
pub(crate) struct Alone<'a, E>(pub(crate) &'a E);

impl<B, E> Encoder<B> for Alone<'_, E>
where
    B: AutodiffBackend,
    E: Encoder<B> + AutodiffModule<B>,
    E::InnerModule: Encoder<B::InnerBackend>,
{
    fn d_model(&self) -> usize {
        self.0.d_model()
    }

    fn max_len(&self) -> usize {
        self.0.max_len()
    }

    fn encode(&self, batch: &EventBatch<B>) -> Encoded<B> {
        self.0.encode(batch)
    }

    fn encode_detached(&self, batch: &EventBatch<B>) -> Encoded<B> {
        without_graph(self.0, batch.clone())
    }
}

fn without_graph<B, E>(encoder: &E, batch: EventBatch<B>) -> Encoded<B>
where
    B: AutodiffBackend,
    E: AutodiffModule<B>,
    E::InnerModule: Encoder<B::InnerBackend>,
{
    let Encoded { states, pooled } = encoder.valid().encode(&batch.inner());
    Encoded { states: Tensor::from_inner(states), pooled: Tensor::from_inner(pooled) }
}

/// Gradients of a share, where there are any.
struct ShareGradients<B: AutodiffBackend> {
    states: Option<Tensor<B::InnerBackend, 3>>,
    pooled: Option<Tensor<B::InnerBackend, 2>>,
}

/// With zeros after the last position, `[n, seq, d]`.
fn padded<B: AutodiffBackend>(states: Tensor<B, 3>, seq: usize) -> Tensor<B, 3> {
    let [n, len, d] = states.dims();
    if len == seq {
        return states;
    }
    let padding = Tensor::zeros([n, seq - len, d], &states.device());
    Tensor::cat(vec![states, padding], 1)
}

impl<B, E> Encoder<B> for Replicas<'_, B, E>
where
    B: AutodiffBackend,
    E: Encoder<B> + AutodiffModule<B>,
    E::InnerModule: Encoder<B::InnerBackend>,
{
    fn d_model(&self) -> usize {
        locked(&self.copies[0]).d_model()
    }

    fn max_len(&self) -> usize {
        locked(&self.copies[0]).max_len()
    }

    fn encode(&self, batch: &EventBatch<B>) -> Encoded<B> {
        let shares = self.shares(batch, |copy, part| copy.encode(&part));
        let Encoded { states, pooled } = self.gathered(&shares, batch);
        let encoded = Encoded { states: states.require_grad(), pooled: pooled.require_grad() };
        locked(&self.pending).push(Pending { encoded: encoded.clone(), shares });
        encoded
    }

    fn encode_detached(&self, batch: &EventBatch<B>) -> Encoded<B> {
        self.gathered(&self.shares(batch, without_graph), batch)
    }
}
