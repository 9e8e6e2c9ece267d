//! What counts as odd, and how long something takes in words.

use chrono::TimeDelta;

/// What counts as odd.
#[derive(Debug, Clone, PartialEq)]
pub struct DoctorOptions {
    /// An event that comes so much later than a newer one of its site is late; 60 s.
    pub allowed_lateness_secs: f64,
    /// A clock that goes back so far was set; 3,600 s.
    pub clock_jump_secs: f64,
    /// A site that is silent for so long has a gap; 6 hours.
    pub gap_secs: f64,
    /// A sensor with more events in a minute chatters; 60.
    pub chatter_per_min: u32,
    /// A sensor that is silent for so long at the end, and ten times as long as its usual pause, is dead; a day.
    pub dead_after_secs: f64,
}

impl Default for DoctorOptions {
    fn default() -> Self {
        Self {
            allowed_lateness_secs: 60.0,
            clock_jump_secs: 3600.0,
            gap_secs: 6.0 * 3600.0,
            chatter_per_min: 60,
            dead_after_secs: 86_400.0,
        }
    }
}

/// Seconds as a person says them.
pub(super) fn human(secs: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "shown only")]
    let delta = TimeDelta::seconds(secs as i64);
    match (delta.num_days(), delta.num_hours(), delta.num_minutes()) {
        (days, ..) if days > 1 => format!("{days} days"),
        (_, hours, _) if hours > 1 => format!("{hours} hours"),
        (_, _, minutes) if minutes > 1 => format!("{minutes} minutes"),
        _ => format!("{secs} s"),
    }
}
