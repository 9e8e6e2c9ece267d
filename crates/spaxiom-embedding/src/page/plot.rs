//! What all plots share: colors, text, and drawing into SVG.

use plotters::coord::Shift;
use plotters::prelude::{
    Color, DrawingArea, DrawingAreaErrorKind, IntoDrawingArea, IntoTextStyle, RGBColor, SVGBackend, TextStyle,
};

use super::html::escaped;

/// Red, green and blue, 0 to 255.
pub(super) type Rgb = (u8, u8, u8);

/// Where a plot is drawn.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// What drawing returns; into memory it does not fail.
pub(super) type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// The run that the page is about.
pub(super) const OWN: Rgb = (10, 95, 168);

/// What the run is compared with.
pub(super) const OTHER: Rgb = (148, 163, 178);

/// Axes, and text beside them.
pub(super) const INK: Rgb = (91, 104, 117);

/// Lines behind a plot.
pub(super) const GRID: Rgb = (231, 235, 240);

/// Pixels of the text of a plot.
const TEXT_SIZE: i32 = 12;

/// Colors that readers with any kind of color vision tell apart (Okabe and Ito 2008, Tol 2021), for as many groups; the rest is gray.
const PALETTE: [Rgb; 12] = [
    (0, 114, 178),
    (213, 94, 0),
    (0, 158, 115),
    (204, 121, 167),
    (230, 159, 0),
    (86, 180, 233),
    (136, 34, 85),
    (51, 34, 136),
    (153, 153, 51),
    (221, 204, 119),
    (17, 119, 51),
    (170, 68, 153),
];

/// The color of a group by its number.
pub(super) fn group(at: usize) -> Rgb {
    PALETTE.get(at).copied().unwrap_or((187, 187, 187))
}

/// The color of an hour of the day: dark at night, warm at noon.
pub(super) fn hour(hour: u32) -> Rgb {
    let day = (1.0 - (f64::from(hour) - 13.0).abs() / 13.0).clamp(0.0, 1.0);
    let mix = |night: f64, noon: f64| night + (noon - night) * day;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between two values of 0 to 255")]
    let part = |night, noon| mix(night, noon).round() as u8;
    (part(38.0, 245.0), part(44.0, 176.0), part(110.0, 40.0))
}

pub(super) fn color((red, green, blue): Rgb) -> RGBColor {
    RGBColor(red, green, blue)
}

fn css((red, green, blue): Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Text in a color.
pub(super) fn text(of: Rgb) -> TextStyle<'static> {
    let mut style = ("sans-serif", TEXT_SIZE).into_text_style(&(u32::MAX, u32::MAX));
    style.color = color(of).to_backend_color();
    style
}

/// An SVG of so many pixels, which a screen reader knows by its title.
pub(super) fn drawn(title: &str, size: (u32, u32), draw: impl FnOnce(&Area<'_>) -> Drawn) -> String {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        draw(&area).and_then(|()| area.present()).expect("what goes into memory is written");
    }
    svg.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{}\" ", escaped(title)), 1)
}

/// A plot of this width below its title, with what its colors mean.
pub(super) fn figure(title: &str, width: u32, svg: &str, legend: &[(&str, Rgb)]) -> String {
    let entry =
        |(name, color): &(&str, Rgb)| format!("<li><i style=\"background:{}\"></i>{}</li>", css(*color), escaped(name));
    let legend = match legend {
        [] => String::new(),
        legend => format!("<ul class=\"legend\">{}</ul>", legend.iter().map(entry).collect::<String>()),
    };
    format!("<figure style=\"width:{width}px\"><h3>{}</h3>{svg}{legend}</figure>", escaped(title))
}

/// Least and greatest of what is finite; none where nothing is.
pub(super) fn bounds(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let bounds = |bounds: (f64, f64), value: f64| (bounds.0.min(value), bounds.1.max(value));
    let (low, high) = values.filter(|value| value.is_finite()).fold((f64::INFINITY, f64::NEG_INFINITY), bounds);
    (low <= high).then_some((low, high))
}

#[cfg(test)]
mod tests {
    use super::{bounds, hour};

    #[test]
    fn bounds_are_of_what_is_finite() {
        assert_eq!(bounds([2.0, f64::NAN, -1.0, f64::INFINITY].into_iter()), Some((-1.0, 2.0)));
        assert_eq!(bounds([f64::NAN].into_iter()), None);
    }

    #[test]
    fn noon_is_brighter_than_midnight() {
        assert!(hour(13).0 > hour(6).0 && hour(6).0 > hour(0).0);
    }
}
