//! Loss curves of a run as SVG, from its `metrics.jsonl`.

use std::fmt::Write;

use serde_json::Value;

/// Size of the drawing, and what is left around the curves, in pixels.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 260.0;
const MARGIN: f64 = 50.0;

/// Points of the training curve at most; each is a mean over consecutive steps.
const MOST_POINTS: usize = 200;

/// Training and validation loss over the steps; none where there are fewer than two steps.
pub(crate) fn svg(metrics: &str) -> Option<String> {
    let lines: Vec<Value> = metrics.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let curve = |name: &str| -> Vec<(f64, f64)> {
        lines.iter().filter_map(|line| Some((line["step"].as_f64()?, line[name].as_f64()?))).collect()
    };
    let (train, validation) = (averaged(&curve("loss")), curve("validation_loss"));
    let all = || train.iter().chain(&validation);
    let (first, last) = bounds(all().map(|point| point.0))?;
    let (low, high) = bounds(all().map(|point| point.1))?;
    if last <= first {
        return None;
    }
    let span = (high - low).max(1e-9);
    let x = |step: f64| MARGIN + (step - first) / (last - first) * (WIDTH - 2.0 * MARGIN);
    let y = |loss: f64| MARGIN / 2.0 + (high - loss) / span * (HEIGHT - 1.5 * MARGIN);
    let line = |points: &[(f64, f64)], color: &str| {
        let points: String = points.iter().fold(String::new(), |mut text, (step, loss)| {
            let _ = write!(text, "{:.1},{:.1} ", x(*step), y(*loss));
            text
        });
        format!("<polyline fill=\"none\" stroke=\"{color}\" stroke-width=\"1.5\" points=\"{}\"/>", points.trim_end())
    };
    let text = |x: f64, y: f64, words: &str, color: &str| {
        format!("<text x=\"{x:.0}\" y=\"{y:.0}\" font-size=\"12\" fill=\"{color}\">{words}</text>")
    };
    let parts = [
        line(&train, "#8899bb"),
        line(&validation, "#bb3322"),
        text(4.0, y(high) + 4.0, &format!("{high:.3}"), "#333"),
        text(4.0, y(low) + 4.0, &format!("{low:.3}"), "#333"),
        text(MARGIN, HEIGHT - 8.0, &format!("step {first:.0}"), "#333"),
        text(WIDTH - MARGIN - 40.0, HEIGHT - 8.0, &format!("step {last:.0}"), "#333"),
        text(WIDTH - 3.5 * MARGIN, MARGIN / 2.0, "training loss", "#8899bb"),
        text(WIDTH - 3.5 * MARGIN, MARGIN / 2.0 + 16.0, "validation loss", "#bb3322"),
    ];
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\" aria-label=\"loss curves\">{}</svg>",
        parts.concat()
    ))
}

/// At most [`MOST_POINTS`] means over consecutive points.
fn averaged(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mean = |part: &[(f64, f64)]| {
        let n = part.len() as f64;
        (part.iter().map(|point| point.0).sum::<f64>() / n, part.iter().map(|point| point.1).sum::<f64>() / n)
    };
    points.chunks(points.len().div_ceil(MOST_POINTS).max(1)).map(mean).collect()
}

/// Least and greatest; none of nothing.
fn bounds(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |bounds, value| match bounds {
        None => Some((value, value)),
        Some((low, high)) => Some((value.min(low), value.max(high))),
    })
}

#[cfg(test)]
mod tests {
    use super::svg;

    #[test]
    fn the_highest_loss_is_at_the_top_and_the_last_step_at_the_right() {
        let lines = "{\"step\":1,\"loss\":3.0}\n{\"step\":2,\"loss\":1.0}\n{\"step\":2,\"validation_loss\":2.0}\n";
        let drawn = svg(lines).unwrap_or_default();
        assert!(drawn.contains("points=\"50.0,25.0 670.0,210.0\""), "{drawn}");
        assert!(drawn.contains("points=\"670.0,117.5\""), "{drawn}");
    }

    #[test]
    fn one_step_is_no_curve() {
        assert_eq!(svg("{\"step\":1,\"loss\":3.0}\n"), None);
        assert_eq!(svg("no json"), None);
    }
}
