//! Moments above each other on one time axis, which ends at the moment itself.

use plotters::element::{Circle, Text};
use plotters::prelude::{ChartBuilder, Color};
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::plot::{Area, Drawn, GRID, INK, OWN, Rgb, bounds, color, drawn, figure, group, text};

const WIDTH: u32 = 1_060;
const ROW: i32 = 26;
const LEFT: i32 = 330;
const BOTTOM: i32 = 40;
const TOP: i32 = 4;

/// A moment with the events up to it.
pub(crate) struct Moment<'a> {
    /// What is written before its row.
    pub(crate) name: String,
    /// Minutes before the moment, and the type; the moment's own event has 0.
    pub(crate) events: Vec<(f64, &'a str)>,
}

/// The first moment is the one that was asked about; nothing where no moment has events.
pub(crate) fn timeline(title: &str, moments: &[Moment<'_>]) -> String {
    let mut types: Vec<&str> = Vec::new();
    for (_, kind) in moments.iter().flat_map(|moment| &moment.events) {
        if !types.contains(kind) {
            types.push(kind);
        }
    }
    let Some((_, longest)) = bounds(moments.iter().flat_map(|moment| &moment.events).map(|event| event.0)) else {
        return String::new();
    };
    let rows = i32::try_from(moments.len()).unwrap_or(i32::MAX);
    let height = u32::try_from(TOP + ROW * rows + BOTTOM).unwrap_or(u32::MAX);
    let svg = drawn(title, (WIDTH, height), |area| draw(area, moments, &types, longest.max(1.0)));
    let legend: Vec<(&str, Rgb)> = types.iter().enumerate().map(|(at, kind)| (*kind, group(at))).collect();
    figure(title, WIDTH, &svg, &legend)
}

fn draw(area: &Area<'_>, moments: &[Moment<'_>], types: &[&str], longest: f64) -> Drawn {
    let n = moments.len() as f64;
    let mut chart = ChartBuilder::on(area)
        .margin_top(TOP)
        .margin_right(16)
        .x_label_area_size(BOTTOM)
        .y_label_area_size(LEFT)
        .build_cartesian_2d(-longest..longest * 0.01, 0.0..n)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .light_line_style(color((255, 255, 255)))
        .bold_line_style(color(GRID))
        .axis_style(color(GRID))
        .x_labels(8)
        .y_labels(0)
        .label_style(text(INK))
        .x_desc("minutes")
        .draw()?;
    let rows = (0i32..).map(|at| TOP + ROW * at + ROW / 2);
    for ((at, moment), row) in moments.iter().enumerate().zip(rows) {
        let of = |kind: &str| color(group(types.iter().position(|known| *known == kind).unwrap_or(usize::MAX)));
        let middle = n - at as f64 - 0.5;
        chart.draw_series(
            moment.events.iter().map(|(before, kind)| Circle::new((-before, middle), 5, of(kind).mix(0.8).filled())),
        )?;
        let style = text(if at == 0 { OWN } else { INK }).pos(Pos::new(HPos::Right, VPos::Center));
        area.draw(&Text::new(moment.name.clone(), (LEFT - 8, row), style))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Moment, timeline};

    #[test]
    fn every_event_is_a_dot_in_the_color_of_its_type() {
        let query = Moment { name: "query".into(), events: vec![(10.0, "QueueFormed"), (0.0, "DoorOpened")] };
        let hit = Moment { name: "hit <1>".into(), events: vec![(0.0, "DoorOpened")] };
        let svg = timeline("example", &[query, hit]);
        assert_eq!(svg.matches("<circle").count(), 3);
        assert_eq!(svg.matches("fill=\"#D55E00\"").count(), 2, "{svg}");
        assert!(svg.contains("hit &lt;1&gt;"), "{svg}");
        assert_eq!(timeline("example", &[]), "");
    }
}
