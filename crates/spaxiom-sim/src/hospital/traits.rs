//! How one hospital differs from others.

use super::HospitalOptions;
use crate::random::Random;

/// Kinds of sensors that a hospital may lack.
const MAY_LACK: [&str; 5] = ["BedRestless", "DrawerOpened", "StaffExited", "StandingStill", "TagRead"];

/// How this hospital differs from others.
#[derive(Debug, Clone)]
pub(super) struct SiteTraits {
    /// Logarithm of the rate of trouble of each ward.
    pub(super) ward_rates: Vec<f64>,
    /// Logarithm of how easily harmless trouble is reported.
    pub(super) threshold: f64,
    /// Log-odds of help.
    pub(super) staffing: f64,
    /// How far its clock is ahead.
    pub(super) clock_secs: f64,
    /// A type of event that it does not report.
    pub(super) lacks: Option<&'static str>,
}

impl SiteTraits {
    pub(super) fn sample(options: &HospitalOptions, n_wards: usize, random: &mut Random) -> Self {
        let site = &options.site;
        // Less half the variance: the mean over sites and wards stays what the constants say.
        let rate = random.normal(0.0, site.rate_sd) - site.rate_sd * site.rate_sd / 2.0;
        let ward_shift = site.ward_rate_sd * site.ward_rate_sd / 2.0;
        Self {
            ward_rates: (0..n_wards).map(|_| rate + random.normal(0.0, site.ward_rate_sd) - ward_shift).collect(),
            threshold: random.normal(0.0, site.threshold_sd),
            staffing: random.normal(0.0, site.staffing_sd),
            clock_secs: random.normal(0.0, site.clock_sd_secs),
            lacks: random.chance(site.lacks_kind).then(|| random.pick(&MAY_LACK)),
        }
    }
}
