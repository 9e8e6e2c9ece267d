//! Splits by site and day.

use proptest::prelude::*;
use spaxiom_eval::{EvalError, Part, Split, SplitOptions};

#[test]
fn ten_days_of_one_home_are_seven_one_and_two() {
    let split = Split::new(&SplitOptions::default(), &["home"], 100, 109).unwrap();
    let parts: Vec<Part> = (100..110).map(|day| split.part("home", day).unwrap()).collect();
    assert_eq!(parts[..7], [Part::Train; 7]);
    assert_eq!(parts[7..], [Part::Validation, Part::Test, Part::Test]);
}

#[test]
fn test_sites_are_seen_on_test_days_only_and_others_never() {
    let split = Split::new(&SplitOptions::default(), &["a", "b", "c", "d"], 0, 9).unwrap();
    assert_eq!(split.test_sites(), ["d"]);
    assert_eq!(
        [split.part("a", 0), split.part("a", 7), split.part("a", 8)],
        [Some(Part::Train), Some(Part::Validation), None]
    );
    assert_eq!([split.part("d", 0), split.part("d", 7), split.part("d", 8)], [None, None, Some(Part::Test)]);
}

#[test]
fn two_days_are_too_few_and_shares_have_limits() {
    let split = |options: SplitOptions, last| Split::new(&options, &["a"], 0, last);
    assert!(matches!(split(SplitOptions::default(), 1), Err(EvalError::TooFewDays { days: 2 })));
    let options = SplitOptions { train_days: 0.9, validation_days: 0.1, test_sites: 0.2 };
    assert!(split(options, 9).unwrap_err().to_string().contains("below 1"));
    let options = SplitOptions { train_days: 0.0, ..SplitOptions::default() };
    assert!(split(options, 9).unwrap_err().to_string().contains("`train-days` has to be between 0 and 1, got 0"));
}

proptest! {
    #[test]
    fn every_part_has_a_day_and_parts_follow_each_other(
        n_days in 3i64..400, n_sites in 1usize..20, train in 0.05f64..0.8, validation in 0.01f64..0.19
    ) {
        let options = SplitOptions { train_days: train, validation_days: validation, test_sites: 0.3 };
        let sites: Vec<String> = (0..n_sites).map(|i| format!("s{i:02}")).collect();
        let names: Vec<&str> = sites.iter().map(String::as_str).collect();
        let split = Split::new(&options, &names, 5, 5 + n_days - 1).unwrap();
        let parts = |site: &str| (5..5 + n_days).filter_map(|day| split.part(site, day)).collect::<Vec<_>>();
        let (first, last) = (parts("s00"), parts(names[n_sites - 1]));
        prop_assert!(first.is_sorted() && last.is_sorted());
        prop_assert!(first.contains(&Part::Train) && first.contains(&Part::Validation));
        prop_assert!(last.contains(&Part::Test));
        if n_sites > 1 {
            prop_assert!(!first.contains(&Part::Test));
            prop_assert!(last.iter().all(|part| *part == Part::Test));
        }
    }
}
