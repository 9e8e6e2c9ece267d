//! The queue against the formula.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spaxiom_sim::{Dock, ErlangC, serve};

fn queue(arrivals_per_hour: f64, services_per_hour: f64, n_servers: u32) -> ErlangC {
    ErlangC { arrivals_per_hour, services_per_hour, n_servers }
}

/// Values from textbooks on queueing, to the digits given there.
#[test]
fn erlang_c_gives_the_textbook_values() {
    for (queue, probability, wait_mins) in [
        (queue(6.6, 1.2, 7), 0.4564, 15.21),
        (queue(4.0, 1.0, 5), 0.5541, 33.25),
        (queue(9.0, 2.0, 6), 0.4217, 8.43),
        (queue(5.0, 6.0, 1), 0.8333, 50.0),
    ] {
        assert!((queue.waiting_probability() - probability).abs() < 5e-5, "{queue:?}");
        assert!((queue.mean_wait_mins() - wait_mins).abs() < 6e-3, "{queue:?}");
    }
}

#[test]
fn the_mean_wait_is_that_of_erlang_c() {
    for queue in [queue(6.6, 1.2, 7), queue(4.0, 1.0, 5), queue(9.0, 2.0, 6), queue(5.0, 6.0, 1)] {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let mut exponential = |per_hour: f64| -f64::ln(1.0 - rng.random::<f64>()) * 3600.0 / per_hour;
        let mut time = 0.0;
        let arrivals: Vec<f64> = (0..1_000_000)
            .map(|_| {
                time += exponential(queue.arrivals_per_hour);
                time
            })
            .collect();
        let mut docks = vec![Dock::default(); queue.n_servers as usize];
        let visits = serve(&arrivals, &mut docks, |_| exponential(queue.services_per_hour));
        let mean_wait_mins = visits.iter().map(|v| v.start - v.arrival).sum::<f64>() / visits.len() as f64 / 60.0;
        let ratio = mean_wait_mins / queue.mean_wait_mins();
        // Over seeds 0 to 9 and these four queues the ratio lay between 0.987 and 1.021.
        assert!((0.95..1.05).contains(&ratio), "{queue:?}: {mean_wait_mins:.2} minutes, ratio {ratio:.3}");
    }
}

#[test]
fn a_blocked_dock_starts_no_service() {
    let mut dock = Dock::default();
    dock.block(0.0, 100.0);
    dock.block(150.0, 200.0);
    let mut docks = [dock];
    let starts: Vec<f64> = serve(&[10.0, 20.0, 30.0], &mut docks, |_| 40.0).iter().map(|visit| visit.start).collect();
    assert_eq!(starts, [100.0, 140.0, 200.0]);
}
