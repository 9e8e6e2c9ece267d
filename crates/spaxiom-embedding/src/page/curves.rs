//! Curves over an axis: training, precision over recall, calibration, labels.

use plotters::element::{Circle, PathElement};
use plotters::prelude::{ChartBuilder, Color, DashedLineSeries, LineSeries};

use super::plot::{Area, Drawn, GRID, INK, OTHER, Rgb, bounds, color, drawn, figure, group, text};

const SIZE: (u32, u32) = (480, 300);

/// An axis.
#[derive(Clone, Copy, Default)]
pub(crate) struct Axis<'a> {
    pub(crate) title: &'a str,
    /// What it shows at least.
    pub(crate) range: Option<(f64, f64)>,
    /// Whether a step is a factor.
    pub(crate) is_log: bool,
}

impl Axis<'_> {
    fn at(&self, value: f64) -> f64 {
        if self.is_log { value.log10() } else { value }
    }

    fn label(&self, at: f64) -> String {
        let value = if self.is_log { 10f64.powf(at).round() } else { (at * 1e6).round() / 1e6 };
        format!("{value}")
    }
}

/// How a curve is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    Solid,
    /// With a dot at each point.
    Dotted,
    /// Gray and dashed: what a curve is compared with.
    Reference,
}

/// A curve by its points.
pub(crate) struct Curve<'a> {
    pub(crate) name: &'a str,
    pub(crate) line: Line,
    pub(crate) points: Vec<(f64, f64)>,
    /// Low and high at each point; empty where nothing is known of it.
    pub(crate) intervals: Vec<(f64, f64)>,
}

/// Curves over one axis; nothing where none has two points.
pub(crate) fn curves(title: &str, x: &Axis<'_>, y: &Axis<'_>, curves: &[Curve<'_>]) -> String {
    if curves.iter().all(|curve| curve.line == Line::Reference || curve.points.len() < 2) {
        return String::new();
    }
    let points = || curves.iter().flat_map(|curve| &curve.points).map(|point| (x.at(point.0), y.at(point.1)));
    let ends = || curves.iter().flat_map(|curve| &curve.intervals).flat_map(|(low, high)| [y.at(*low), y.at(*high)]);
    let least = |axis: &Axis<'_>| {
        axis.range.into_iter().flat_map(|(low, high)| [low, high]).map(|end| axis.at(end)).collect::<Vec<_>>()
    };
    let (Some(across), Some(up)) = (
        bounds(points().map(|point| point.0).chain(least(x))),
        bounds(points().map(|point| point.1).chain(ends()).chain(least(y))),
    ) else {
        return String::new();
    };
    let svg = drawn(title, SIZE, |area| draw(area, [(x, across), (y, up)], curves));
    let named = curves.iter().enumerate().map(|(at, curve)| (curve.name, color_of(at, curve)));
    figure(title, SIZE.0, &svg, &named.collect::<Vec<_>>())
}

fn color_of(at: usize, curve: &Curve<'_>) -> Rgb {
    if curve.line == Line::Reference { OTHER } else { group(at) }
}

fn draw(area: &Area<'_>, [(x, across), (y, up)]: [(&Axis<'_>, (f64, f64)); 2], curves: &[Curve<'_>]) -> Drawn {
    let widened = |(low, high): (f64, f64)| if low < high { low..high } else { low - 0.5..high + 0.5 };
    let mut chart = ChartBuilder::on(area)
        .margin_top(8)
        .margin_right(20)
        .x_label_area_size(40)
        .y_label_area_size(56)
        .build_cartesian_2d(widened(across), widened(up))?;
    chart
        .configure_mesh()
        .light_line_style(color((255, 255, 255)))
        .bold_line_style(color(GRID))
        .axis_style(color(GRID))
        .x_labels(6)
        .y_labels(6)
        .label_style(text(INK))
        .x_desc(x.title)
        .y_desc(y.title)
        .x_label_formatter(&|at| x.label(*at))
        .y_label_formatter(&|at| y.label(*at))
        .draw()?;
    for (at, curve) in curves.iter().enumerate() {
        let line = color(color_of(at, curve));
        let placed = curve.points.iter().map(|point| (x.at(point.0), y.at(point.1)));
        let points = || placed.clone().filter(|(x, y)| x.is_finite() && y.is_finite());
        for ((at, _), (low, high)) in placed.clone().zip(&curve.intervals) {
            let ends = vec![(at, y.at(*low)), (at, y.at(*high))];
            chart.draw_series([PathElement::new(ends, line.mix(0.5).stroke_width(3))])?;
        }
        if curve.line == Line::Reference {
            chart.draw_series(DashedLineSeries::new(points(), 4, 4, line.stroke_width(1)))?;
        } else {
            chart.draw_series(LineSeries::new(points(), line.stroke_width(2)))?;
        }
        if curve.line == Line::Dotted {
            chart.draw_series(points().map(|point| Circle::new(point, 3, line.filled())))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Axis, Curve, Line, curves};

    fn check(line: Line, points: &[(f64, f64)]) -> String {
        let axis = |title| Axis { title, ..Axis::default() };
        let curve = Curve { name: "loss", line, points: points.to_vec(), intervals: Vec::new() };
        curves("training", &axis("step"), &axis("loss"), &[curve])
    }

    #[test]
    fn a_curve_goes_from_the_left_to_the_right_and_down_as_it_falls() {
        let svg = check(Line::Solid, &[(1.0, 3.0), (2.0, 1.0)]);
        let points = svg.split("<polyline").skip(1).filter(|line| line.contains("stroke=\"#0072B2\""));
        let points: Vec<&str> = points.filter_map(|line| line.split("points=\"").nth(1)?.split('"').next()).collect();
        assert_eq!(points, ["56,8 459,259 "], "{svg}");
    }

    #[test]
    fn one_point_is_no_curve_and_a_reference_alone_is_none() {
        assert_eq!(check(Line::Solid, &[(1.0, 3.0)]), "");
        assert_eq!(check(Line::Reference, &[(1.0, 3.0), (2.0, 1.0)]), "");
    }

    #[test]
    fn what_is_not_finite_is_left_out() {
        assert!(!check(Line::Dotted, &[(1.0, 3.0), (2.0, f64::NAN), (3.0, 1.0)]).contains("NaN"));
    }
}
