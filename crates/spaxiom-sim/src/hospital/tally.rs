//! What is counted while a hospital is simulated, to be compared with published figures.

/// Counts of a hospital; only a simulation can know them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HospitalTally {
    /// One per ward.
    pub wards: Vec<WardTally>,
    /// Falls with an injury.
    pub n_injurious: u32,
    /// Falls on the way to the toilet or there.
    pub n_toileting: u32,
    /// Falls from 20:00 to 07:59.
    pub n_at_night: u32,
    /// Walks that were done, and the sums of their speeds in m/s and of the squares of these.
    pub n_walks: u64,
    /// See [`HospitalTally::n_walks`].
    pub speed_sum: f64,
    /// See [`HospitalTally::n_walks`].
    pub speed_squares: f64,
}

/// Counts of a ward.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct WardTally {
    /// Days times patients.
    pub patient_days: f64,
    /// Falls.
    pub n_falls: u32,
    /// Near-falls.
    pub n_near_falls: u32,
}

impl HospitalTally {
    /// Adds the counts of another hospital.
    pub fn add(&mut self, other: &Self) {
        let Self { wards, n_injurious, n_toileting, n_at_night, n_walks, speed_sum, speed_squares } = other;
        self.wards.extend(wards);
        self.n_injurious += n_injurious;
        self.n_toileting += n_toileting;
        self.n_at_night += n_at_night;
        self.n_walks += n_walks;
        self.speed_sum += speed_sum;
        self.speed_squares += speed_squares;
    }

    /// Days times patients.
    #[must_use]
    pub fn patient_days(&self) -> f64 {
        self.wards.iter().map(|ward| ward.patient_days).sum()
    }

    /// Falls of all wards.
    #[must_use]
    pub fn n_falls(&self) -> u32 {
        self.wards.iter().map(|ward| ward.n_falls).sum()
    }

    /// Near-falls of all wards.
    #[must_use]
    pub fn n_near_falls(&self) -> u32 {
        self.wards.iter().map(|ward| ward.n_near_falls).sum()
    }

    /// Falls per 1,000 patient-days.
    #[must_use]
    pub fn falls_per_1000(&self) -> f64 {
        1000.0 * f64::from(self.n_falls()) / self.patient_days()
    }

    /// Mean and standard deviation of the speed of walks, in m/s.
    #[must_use]
    pub fn speed(&self) -> (f64, f64) {
        let n = self.n_walks as f64;
        let mean = self.speed_sum / n;
        (mean, libm::sqrt((self.speed_squares / n - mean * mean).max(0.0)))
    }

    /// Share of the variance of the wards' fall rates over `months` that lies between wards, 0 to 1.
    ///
    /// The variance between is that of the observed rates, less what chance adds to them: falls of a ward
    /// are Poisson given its own rate. Over more months chance adds less.
    #[must_use]
    pub fn share_between_wards(&self, months: f64, observed_months: f64) -> f64 {
        let rates: Vec<f64> = self.wards.iter().map(|ward| f64::from(ward.n_falls) / ward.patient_days).collect();
        let n = rates.len() as f64;
        let mean = rates.iter().sum::<f64>() / n;
        let observed = rates.iter().map(|rate| (rate - mean) * (rate - mean)).sum::<f64>() / (n - 1.0);
        let chance = self.wards.iter().map(|ward| mean / ward.patient_days).sum::<f64>() / n;
        let between = (observed - chance).max(0.0);
        between / (between + chance * observed_months / months)
    }
}
