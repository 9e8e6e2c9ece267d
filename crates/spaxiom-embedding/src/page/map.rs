//! Vectors in two dimensions, in the colors of their groups.

use plotters::element::Circle;
use plotters::prelude::{ChartBuilder, Color};

use super::plot::{Rgb, bounds, color, drawn, figure, group, hour};

const SIZE: (u32, u32) = (320, 320);

/// Groups with a color of their own; the rest is one.
const N_GROUPS: usize = 11;

/// Points in the colors of what `key` says of them, most frequent first; nothing for fewer than two points.
pub(crate) fn map<'a, P>(
    title: &str,
    points: &'a [P],
    at: impl Fn(&P) -> [f32; 2],
    key: impl Fn(&'a P) -> &'a str,
) -> String {
    let mut names: Vec<(usize, &str)> = Vec::new();
    for point in points {
        match names.iter_mut().find(|(_, name)| *name == key(point)) {
            Some((n, _)) => *n += 1,
            None => names.push((1, key(point))),
        }
    }
    names.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    let place = |point: &'a P| names.iter().position(|(_, name)| *name == key(point)).unwrap_or(N_GROUPS).min(N_GROUPS);
    // Hours have an order, and so have their colors.
    let as_hour = |name: &str| name.strip_suffix(" h").and_then(|hour| hour.parse::<u32>().ok());
    let is_hours = names.iter().all(|(_, name)| as_hour(name).is_some());
    let of = |name: &str, group_idx: usize| -> Rgb {
        as_hour(name)
            .filter(|_| is_hours)
            .map_or_else(|| group(if group_idx < N_GROUPS { group_idx } else { usize::MAX }), hour)
    };
    let placed: Vec<(f64, f64, Rgb)> = points
        .iter()
        .map(|point| {
            let [x, y] = at(point).map(f64::from);
            (x, y, of(key(point), place(point)))
        })
        .filter(|(x, y, _)| x.is_finite() && y.is_finite())
        .collect();
    let (Some((left, right)), Some((low, high))) =
        (bounds(placed.iter().map(|point| point.0)), bounds(placed.iter().map(|point| point.1)))
    else {
        return String::new();
    };
    if left >= right || low >= high {
        return String::new();
    }
    let svg = drawn(title, SIZE, |area| {
        let mut chart = ChartBuilder::on(area).margin(6).build_cartesian_2d(left..right, low..high)?;
        chart.draw_series(placed.iter().map(|(x, y, of)| Circle::new((*x, *y), 2, color(*of).mix(0.7).filled())))?;
        Ok(())
    });
    let mut legend: Vec<(&str, Rgb)> =
        names.iter().take(N_GROUPS).enumerate().map(|(at, (_, name))| (*name, of(name, at))).collect();
    if is_hours {
        legend =
            ["0 h", "6 h", "13 h", "20 h"].into_iter().map(|name| (name, hour(as_hour(name).unwrap_or(0)))).collect();
    } else if names.len() > N_GROUPS {
        legend.push(("others", group(usize::MAX)));
    }
    figure(title, SIZE.0, &svg, &legend)
}

#[cfg(test)]
mod tests {
    use super::map;

    #[test]
    fn the_most_frequent_group_has_the_first_color_and_a_rare_one_is_among_the_others() {
        let mut points: Vec<([f32; 2], String)> =
            (0u8..14).map(|at| ([f32::from(at), 1.0], format!("rare {at:02}"))).collect();
        points.extend((0u8..3).map(|at| ([f32::from(at), 2.0], "often".to_owned())));
        let svg = map("by type", &points, |point| point.0, |point| &point.1);
        assert!(svg.contains("#0072b2\"></i>often") || svg.contains("background:#0072b2\"></i>often"), "{svg}");
        assert!(svg.contains("others") && !svg.contains("rare 13"), "{svg}");
        assert_eq!(svg.matches("<circle").count(), 17);
    }

    #[test]
    fn hours_have_the_colors_of_the_day() {
        let points = [([0.0, 0.0], "0 h"), ([1.0, 1.0], "13 h")];
        let svg = map("by hour", &points, |point| point.0, |point| point.1);
        assert!(svg.contains("13 h") && svg.contains("20 h"), "{svg}");
    }

    #[test]
    fn one_point_is_no_map() {
        assert_eq!(map("by type", &[([0.0, 0.0], "one")], |point| point.0, |point| point.1), "");
    }
}
