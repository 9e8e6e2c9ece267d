//! Limited-memory BFGS: the least value of a smooth convex function, to a tolerance and not by a number of passes.

use std::collections::VecDeque;

/// Steps whose curvature is remembered.
const HISTORY: usize = 10;

/// Halvings of a step before the search ends where it is.
const MAX_HALVINGS: usize = 30;

/// A step has to gain this share of what the slope promises (Armijo 1966).
const SUFFICIENT: f64 = 1e-4;

/// Where to stop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stop {
    pub(crate) max_iterations: usize,
    /// The greatest number of the gradient at which it ends.
    pub(crate) tolerance: f32,
}

/// A step and the difference of the gradients at its ends, with the inverse of their inner product.
struct Curvature {
    step: Vec<f32>,
    difference: Vec<f32>,
    inverse: f64,
}

/// Moves `point` to the minimum of a function that gives its value and writes its gradient (Liu and Nocedal 1989).
pub(crate) fn minimize(point: &mut [f32], stop: Stop, mut function: impl FnMut(&[f32], &mut [f32]) -> f64) {
    let n = point.len();
    let (mut gradient, mut next_gradient, mut next) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    let mut value = function(point, &mut gradient);
    let mut history: VecDeque<Curvature> = VecDeque::new();
    for _ in 0..stop.max_iterations {
        if gradient.iter().fold(0f32, |max, g| max.max(g.abs())) <= stop.tolerance {
            return;
        }
        let mut direction = descent(&gradient, &history);
        let mut slope = dot(&direction, &gradient);
        if slope >= 0.0 {
            // Curvature of 32 bits can mislead near the minimum: down the gradient is always right.
            history.clear();
            direction = gradient.iter().map(|g| -g).collect();
            slope = dot(&direction, &gradient);
        }
        let mut length = if history.is_empty() { 1.0 / (-slope).sqrt().max(1.0) } else { 1.0 };
        let mut n_halvings = 0;
        let next_value = loop {
            let scale = single(length);
            next.iter_mut().zip(&*point).zip(&direction).for_each(|((next, at), step)| *next = at + scale * step);
            let next_value = function(&next, &mut next_gradient);
            if next_value <= value + SUFFICIENT * length * slope {
                break next_value;
            }
            n_halvings += 1;
            if n_halvings > MAX_HALVINGS {
                return;
            }
            length /= 2.0;
        };
        let step: Vec<f32> = next.iter().zip(&*point).map(|(to, from)| to - from).collect();
        let difference: Vec<f32> = next_gradient.iter().zip(&gradient).map(|(to, from)| to - from).collect();
        let product = dot(&step, &difference);
        if product > 1e-10 {
            if history.len() == HISTORY {
                history.pop_front();
            }
            history.push_back(Curvature { step, difference, inverse: 1.0 / product });
        }
        point.copy_from_slice(&next);
        std::mem::swap(&mut gradient, &mut next_gradient);
        value = next_value;
    }
}

/// The direction of Newton's method with the curvature of the last steps.
fn descent(gradient: &[f32], history: &VecDeque<Curvature>) -> Vec<f32> {
    let mut direction: Vec<f32> = gradient.iter().map(|g| -g).collect();
    let mut shares = Vec::with_capacity(history.len());
    for Curvature { step, difference, inverse } in history.iter().rev() {
        let share = inverse * dot(step, &direction);
        add(&mut direction, -share, difference);
        shares.push(share);
    }
    if let Some(Curvature { difference, inverse, .. }) = history.back() {
        let scale = single(1.0 / (inverse * dot(difference, difference)));
        for component in &mut direction {
            *component *= scale;
        }
    }
    for (Curvature { step, difference, inverse }, share) in history.iter().zip(shares.into_iter().rev()) {
        let other = inverse * dot(difference, &direction);
        add(&mut direction, share - other, step);
    }
    direction
}

fn add(to: &mut [f32], times: f64, from: &[f32]) {
    let times = single(times);
    to.iter_mut().zip(from).for_each(|(to, from)| *to += times * from);
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

#[expect(clippy::cast_possible_truncation, reason = "steps of 32-bit parameters")]
fn single(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::{Stop, minimize};

    /// A narrow valley: curvatures of 1 and 1,000.
    #[test]
    fn a_quadratic_function_is_minimized() {
        let mut point = [5.0, -3.0, 2.0];
        let (curvatures, minimum) = ([1.0f32, 30.0, 1000.0], [1.0f32, 2.0, -1.0]);
        minimize(&mut point, Stop { max_iterations: 100, tolerance: 1e-5 }, |at, gradient| {
            let mut value = 0.0;
            for i in 0..3 {
                let off = at[i] - minimum[i];
                gradient[i] = curvatures[i] * off;
                value += f64::from(curvatures[i] * off * off) / 2.0;
            }
            value
        });
        assert!(point.iter().zip(minimum).all(|(got, want)| (got - want).abs() < 1e-4), "{point:?}");
    }
}
