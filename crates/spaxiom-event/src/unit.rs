//! Units of attributes, and how they become one another.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The unit of a numeric attribute.
///
/// Every dimension has one unit in which events keep it; the others are read and converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Unit {
    /// A number of things.
    #[serde(rename = "count")]
    Count,
    /// A score without a unit; the range says what it can be.
    #[serde(rename = "score")]
    Score,
    /// 0 to 100.
    #[serde(rename = "percent")]
    Percent,
    /// 0 to 1.
    #[serde(rename = "fraction")]
    Fraction,
    /// Seconds.
    #[serde(rename = "s")]
    Second,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Millisecond,
    /// Minutes.
    #[serde(rename = "min")]
    Minute,
    /// Hours.
    #[serde(rename = "h")]
    Hour,
    /// Meters.
    #[serde(rename = "m")]
    Meter,
    /// Centimeters.
    #[serde(rename = "cm")]
    Centimeter,
    /// Square meters.
    #[serde(rename = "m2")]
    SquareMeter,
    /// Meters per second.
    #[serde(rename = "m/s")]
    MeterPerSecond,
    /// Kilometers per hour.
    #[serde(rename = "km/h")]
    KilometerPerHour,
    /// Per minute.
    #[serde(rename = "1/min")]
    PerMinute,
    /// Per hour.
    #[serde(rename = "1/h")]
    PerHour,
    /// Degrees Celsius.
    #[serde(rename = "Cel")]
    Celsius,
    /// Degrees Fahrenheit.
    #[serde(rename = "[degF]")]
    Fahrenheit,
    /// Parts per million.
    #[serde(rename = "ppm")]
    PartsPerMillion,
    /// Lux.
    #[serde(rename = "lx")]
    Lux,
    /// Hectopascal.
    #[serde(rename = "hPa")]
    Hectopascal,
    /// Watt.
    #[serde(rename = "W")]
    Watt,
    /// Kilowatt hours.
    #[serde(rename = "kWh")]
    KilowattHour,
    /// Volt.
    #[serde(rename = "V")]
    Volt,
    /// Decibel-milliwatts, as of a radio signal.
    #[serde(rename = "dBm")]
    DecibelMilliwatt,
    /// Standard gravity.
    #[serde(rename = "g")]
    Gravity,
}

/// Name in files, suffix of attribute names, unit of the same dimension that events keep, factor, offset,
/// and other ways to write it.
type Row = (Unit, &'static str, &'static str, Unit, f64, f64, &'static [&'static str]);

const ROWS: [Row; 25] = [
    (Unit::Count, "count", "count", Unit::Count, 1.0, 0.0, &["people", "persons", "steps"]),
    (Unit::Score, "score", "score", Unit::Score, 1.0, 0.0, &[]),
    (Unit::Percent, "percent", "pct", Unit::Percent, 1.0, 0.0, &["%", "%RH"]),
    (Unit::Fraction, "fraction", "fraction", Unit::Percent, 100.0, 0.0, &[]),
    (Unit::Second, "s", "s", Unit::Second, 1.0, 0.0, &["sec", "second", "seconds"]),
    (Unit::Millisecond, "ms", "ms", Unit::Second, 1e-3, 0.0, &["millisecond", "milliseconds"]),
    (Unit::Minute, "min", "min", Unit::Second, 60.0, 0.0, &["minute", "minutes"]),
    (Unit::Hour, "h", "h", Unit::Second, 3600.0, 0.0, &["hour", "hours"]),
    (Unit::Meter, "m", "m", Unit::Meter, 1.0, 0.0, &["meter", "metre", "meters", "metres"]),
    (Unit::Centimeter, "cm", "cm", Unit::Meter, 0.01, 0.0, &[]),
    (Unit::SquareMeter, "m2", "m2", Unit::SquareMeter, 1.0, 0.0, &["m²"]),
    (Unit::MeterPerSecond, "m/s", "mps", Unit::MeterPerSecond, 1.0, 0.0, &["mps"]),
    (Unit::KilometerPerHour, "km/h", "kmh", Unit::MeterPerSecond, 1.0 / 3.6, 0.0, &["kmh"]),
    (Unit::PerMinute, "1/min", "per_min", Unit::PerMinute, 1.0, 0.0, &["people/min", "per_min"]),
    (Unit::PerHour, "1/h", "per_h", Unit::PerMinute, 1.0 / 60.0, 0.0, &["people/h", "per_h"]),
    (Unit::Celsius, "Cel", "cel", Unit::Celsius, 1.0, 0.0, &["°C", "C", "celsius", "degC"]),
    (Unit::Fahrenheit, "[degF]", "degf", Unit::Celsius, 5.0 / 9.0, -160.0 / 9.0, &["°F", "F", "fahrenheit", "degF"]),
    (Unit::PartsPerMillion, "ppm", "ppm", Unit::PartsPerMillion, 1.0, 0.0, &[]),
    (Unit::Lux, "lx", "lx", Unit::Lux, 1.0, 0.0, &["lux"]),
    (Unit::Hectopascal, "hPa", "hpa", Unit::Hectopascal, 1.0, 0.0, &["mbar"]),
    (Unit::Watt, "W", "w", Unit::Watt, 1.0, 0.0, &["watt"]),
    (Unit::KilowattHour, "kWh", "kwh", Unit::KilowattHour, 1.0, 0.0, &[]),
    (Unit::Volt, "V", "v", Unit::Volt, 1.0, 0.0, &["volt"]),
    (Unit::DecibelMilliwatt, "dBm", "dbm", Unit::DecibelMilliwatt, 1.0, 0.0, &[]),
    (Unit::Gravity, "g", "g", Unit::Gravity, 1.0, 0.0, &[]),
];

impl Unit {
    /// The unit that is written so: `s`, `seconds`, `%`, `°C`.
    #[must_use]
    pub fn from_symbol(symbol: &str) -> Option<Self> {
        let written = |row: &&Row| row.1 == symbol || row.6.contains(&symbol);
        ROWS.iter().find(written).map(|row| row.0)
    }

    /// The unit of the same dimension that events keep.
    #[must_use]
    pub fn base(self) -> Self {
        self.row().3
    }

    /// What ends the name of an attribute in this unit: `dwell_s`, `speed_mps`.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        self.row().2
    }

    /// `value` of this unit in the unit `to`, or none between dimensions.
    #[must_use]
    pub fn convert(self, value: f64, to: Self) -> Option<f64> {
        if self == to {
            return Some(value);
        }
        let (&(_, _, _, base, factor, offset, _), &(_, _, _, to_base, to_factor, to_offset, _)) =
            (self.row(), to.row());
        (base == to_base).then(|| (value * factor + offset - to_offset) / to_factor)
    }

    fn row(self) -> &'static Row {
        ROWS.iter().find(|row| row.0 == self).expect("every unit has a row")
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().1)
    }
}
