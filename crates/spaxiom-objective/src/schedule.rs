//! Learning rates over a run.

/// Linear warm-up, then half a cosine down to zero (Loshchilov and Hutter 2017).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WarmupCosine {
    /// The highest rate.
    pub peak: f64,
    /// Steps until the peak.
    pub n_warmup: u64,
    /// Steps until zero.
    pub n_steps: u64,
}

impl WarmupCosine {
    /// The rate of a step, counted from 0.
    #[must_use]
    pub fn rate(&self, step: u64) -> f64 {
        if step < self.n_warmup {
            return self.peak * (step + 1) as f64 / self.n_warmup as f64;
        }
        let length = self.n_steps.saturating_sub(self.n_warmup).max(1);
        let progress = ((step - self.n_warmup) as f64 / length as f64).min(1.0);
        self.peak * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
    }
}
