//! Figures with their intervals, one bar below the other.

use plotters::element::{PathElement, Rectangle, Text};
use plotters::prelude::{ChartBuilder, Color};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use spaxiom_eval::Interval;

use super::plot::{Area, Drawn, GRID, INK, OTHER, OWN, bounds, color, drawn, figure, text};

const WIDTH: u32 = 520;
const ROW: u32 = 24;
const LEFT: u32 = 170;
const BOTTOM: u32 = 32;
const TOP: u32 = 4;

/// A figure of what the page is about, or of what it is compared with.
pub(crate) struct Bar<'a> {
    pub(crate) name: &'a str,
    pub(crate) figure: Interval,
    pub(crate) is_own: bool,
}

/// Bars from 0, each with the 95 % interval of its figure; nothing where no figure is finite.
pub(crate) fn bars(title: &str, bars: &[Bar<'_>]) -> String {
    let bars: Vec<&Bar<'_>> = bars.iter().filter(|bar| bar.figure.mean.is_finite()).collect();
    let ends = bars.iter().flat_map(|bar| [bar.figure.mean, bar.figure.low, bar.figure.high]);
    let Some((low, high)) = bounds(ends.chain([0.0])).filter(|_| !bars.is_empty()) else { return String::new() };
    let n_rows = u32::try_from(bars.len()).unwrap_or(u32::MAX);
    let svg = drawn(title, (WIDTH, TOP + ROW * n_rows + BOTTOM), |area| draw(area, &bars, (low, high.max(low + 1e-6))));
    figure(title, WIDTH, &svg, &[])
}

fn draw(area: &Area<'_>, bars: &[&Bar<'_>], (low, high): (f64, f64)) -> Drawn {
    let n = bars.len() as f64;
    let mut chart = ChartBuilder::on(area)
        .margin_top(TOP)
        .margin_right(16)
        .x_label_area_size(BOTTOM)
        .y_label_area_size(LEFT)
        .build_cartesian_2d(low..high * 1.02, 0.0..n)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .light_line_style(color(GRID))
        .bold_line_style(color(GRID))
        .axis_style(color(GRID))
        .x_labels(6)
        .y_labels(0)
        .x_label_style(text(INK))
        .draw()?;
    for (at, bar) in bars.iter().enumerate() {
        let middle = n - at as f64 - 0.5;
        let fill = color(if bar.is_own { OWN } else { OTHER });
        let Interval { mean, low, high, .. } = bar.figure;
        chart.draw_series([Rectangle::new([(0.0, middle - 0.32), (mean, middle + 0.32)], fill.filled())])?;
        let whiskers = [
            vec![(low, middle), (high, middle)],
            vec![(low, middle - 0.15), (low, middle + 0.15)],
            vec![(high, middle - 0.15), (high, middle + 0.15)],
        ];
        chart.draw_series(
            whiskers.into_iter().map(|line| PathElement::new(line, color((29, 39, 51)).stroke_width(1))),
        )?;
        let row = i32::try_from(TOP + ROW / 2).unwrap_or(0)
            + i32::try_from(at).unwrap_or(0) * i32::try_from(ROW).unwrap_or(0);
        let place = (i32::try_from(LEFT).unwrap_or(0) - 8, row);
        let style = text(if bar.is_own { OWN } else { INK }).pos(Pos::new(HPos::Right, VPos::Center));
        area.draw(&Text::new(bar.name.to_owned(), place, style))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use spaxiom_eval::Interval;

    use super::{Bar, bars};

    fn bar(name: &str, mean: f64) -> Bar<'_> {
        Bar {
            name,
            figure: Interval { mean, low: mean - 0.1, high: mean + 0.1, n: 1, n_clusters: 1 },
            is_own: name == "own",
        }
    }

    #[test]
    fn every_figure_has_a_bar_in_its_color() {
        let svg = bars("accuracy", &[bar("own", 0.7), bar("other", 0.5), bar("nothing", f64::NAN)]);
        assert_eq!(svg.matches("fill=\"#0A5FA8\"").count(), 2, "bar and name: {svg}");
        assert!(svg.contains("other") && !svg.contains("nothing"), "{svg}");
    }

    #[test]
    fn nothing_finite_is_no_plot() {
        assert_eq!(bars("accuracy", &[bar("nothing", f64::NAN)]), "");
        assert_eq!(bars("accuracy", &[]), "");
    }
}
