//! Random numbers that are the same on every machine.
//!
//! Logarithms and exponentials come from `libm`, which is written in Rust: those of the operating system differ in their last bit.

use std::f64::consts::TAU;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// One stream of random numbers.
#[derive(Debug, Clone)]
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    /// A stream of its own for each part of each site: what one part draws moves nothing elsewhere.
    pub(crate) fn new(seed: u64, site_idx: u32, part: u32) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::from(part) << 32 | u64::from(site_idx));
        Self(rng)
    }

    /// Uniform in `from..to`.
    pub(crate) fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.0.random::<f64>()
    }

    /// Uniform in a range that a constant gives.
    pub(crate) fn within(&mut self, [from, to]: [f64; 2]) -> f64 {
        self.between(from, to)
    }

    /// One of `from..=to`.
    pub(crate) fn whole(&mut self, [from, to]: [usize; 2]) -> usize {
        self.0.random_range(from..=to)
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.0.random::<f64>() < probability
    }

    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.0.random_range(0..of.len())]
    }

    /// The place of one of `weights`, drawn in proportion to them.
    pub(crate) fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.between(0.0, weights.iter().sum());
        for (at, weight) in weights.iter().enumerate() {
            if left < *weight {
                return at;
            }
            left -= weight;
        }
        weights.len() - 1
    }

    /// Normal, by the transform of Box and Muller (1958).
    pub(crate) fn normal(&mut self, mean: f64, sd: f64) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.0.random::<f64>()));
        mean + sd * radius * libm::cos(TAU * self.0.random::<f64>())
    }

    pub(crate) fn log_normal(&mut self, median: f64, log_sd: f64) -> f64 {
        median * libm::exp(self.normal(0.0, log_sd))
    }

    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log(1.0 - self.0.random::<f64>())
    }

    /// How many events a Poisson process has; for small means (Knuth 1969).
    pub(crate) fn count(&mut self, mean: f64) -> usize {
        let least = libm::exp(-mean);
        let mut product = self.0.random::<f64>();
        let mut count = 0;
        while product > least {
            product *= self.0.random::<f64>();
            count += 1;
        }
        count
    }

    /// Times of a Poisson process in `from..to`.
    pub(crate) fn poisson(&mut self, rate: f64, from: f64, to: f64) -> Vec<f64> {
        let mut times = Vec::new();
        if rate <= 0.0 {
            return times;
        }
        let mut time = from + self.exponential(1.0 / rate);
        while time < to {
            times.push(time);
            time += self.exponential(1.0 / rate);
        }
        times
    }

    /// Times of a Poisson process with a rate that changes with time, by thinning (Lewis and Shedler 1979).
    pub(crate) fn thinned(&mut self, peak: f64, from: f64, to: f64, rate: impl Fn(f64) -> f64) -> Vec<f64> {
        let times = self.poisson(peak, from, to);
        times.into_iter().filter(|time| self.chance(rate(*time) / peak)).collect()
    }
}

/// The logistic function.
pub(crate) fn sigmoid(logit: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-logit))
}
