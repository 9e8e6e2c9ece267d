//! Splits by site, time and entity.

use proptest::prelude::*;
use spaxiom_eval::{EntitySplit, EvalError, Part, Split, SplitDates, SplitOptions, check_no_leak};

const DAY: i64 = 86_400;
const NOON: i64 = DAY / 2;

fn days(range: std::ops::Range<i64>) -> Vec<i64> {
    range.collect()
}

fn split(sites: &[&str], days: &[i64]) -> Split {
    Split::new(&SplitOptions::default(), sites, days).unwrap()
}

#[test]
fn ten_days_of_one_home_are_seven_one_and_two() {
    let split = split(&["home"], &days(100..110));
    let parts: Vec<Part> = (100..110).map(|day| split.part("home", day * DAY + NOON).unwrap()).collect();
    assert_eq!(parts[..7], [Part::Train; 7]);
    assert_eq!(parts[7..], [Part::Validation, Part::Test, Part::Test]);
}

#[test]
fn an_hour_before_each_border_is_for_no_part() {
    let split = split(&["home"], &days(100..110));
    for border in [107 * DAY, 108 * DAY] {
        assert_eq!(split.part("home", border - 1), None);
        assert_eq!(split.part("home", border - 3_600), None);
        assert!(split.part("home", border - 3_601).is_some() && split.part("home", border).is_some());
    }
}

#[test]
fn days_by_their_dates_have_gaps_between_them() {
    let day = |text: &str| text.parse().unwrap();
    let dates = SplitDates {
        train: [day("2011-06-15"), day("2011-07-01")],
        validation: [day("2011-07-02"), day("2011-07-04")],
        test: [day("2011-07-06"), day("2011-07-14")],
    };
    let options = SplitOptions { dates: Some(dates), ..SplitOptions::default() };
    let split = Split::new(&options, &["home"], &days(15_140..15_170)).unwrap();
    let part = |time: &str| split.part("home", time.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp());
    assert_eq!(part("2011-06-14T23:59:59Z"), None);
    assert_eq!(part("2011-06-15T00:00:00Z"), Some(Part::Train));
    assert_eq!(part("2011-07-01T23:59:59Z"), Some(Part::Train));
    assert_eq!(part("2011-07-02T00:00:00Z"), Some(Part::Validation));
    assert_eq!(part("2011-07-05T12:00:00Z"), None);
    assert_eq!([part("2011-07-06T00:00:00Z"), part("2011-07-14T23:59:59Z")], [Some(Part::Test); 2]);
    assert_eq!(part("2011-07-15T00:00:00Z"), None);
    let turned = SplitDates { validation: dates.test, test: dates.validation, ..dates };
    let options = SplitOptions { dates: Some(turned), ..SplitOptions::default() };
    let error = Split::new(&options, &["home"], &days(15_140..15_170)).unwrap_err().to_string();
    assert!(error.contains("`dates`"), "{error}");
}

#[test]
fn test_sites_are_seen_on_test_days_only_and_others_never() {
    let split = split(&["d", "b", "c", "a"], &days(0..10));
    assert_eq!(split.test_sites(), ["d"]);
    let part = |site, day| split.part(site, day * DAY + NOON);
    assert_eq!([part("a", 0), part("a", 7), part("a", 8)], [Some(Part::Train), Some(Part::Validation), None]);
    assert_eq!([part("d", 0), part("d", 7), part("d", 8)], [None, None, Some(Part::Test)]);
    assert_eq!(part("new", 0), Some(Part::Test), "a site that the split does not know was never seen");
}

#[test]
fn days_without_events_do_not_move_the_borders() {
    let with_a_wrong_clock: Vec<i64> = [0].into_iter().chain(20_000..20_009).collect();
    let split = split(&["home"], &with_a_wrong_clock);
    let parts: Vec<Part> = (20_000..20_009).map(|day| split.part("home", day * DAY + NOON).unwrap()).collect();
    assert_eq!(parts.iter().filter(|part| **part == Part::Train).count(), 6);
}

#[test]
fn what_an_earlier_run_has_seen_is_no_test() {
    let earlier = split(&["home"], &days(0..10));
    // The same home, but only its first half.
    let later = split(&["home"], &days(0..5));
    let part = |split: &Split, day| split.part("home", day * DAY + NOON);
    assert_eq!(part(&later, 4), Some(Part::Test));
    let later = later.after(&earlier);
    assert_eq!([part(&later, 4), part(&later, 3), part(&later, 0)], [None, None, Some(Part::Train)]);
    let latest = split(&["other"], &days(0..10)).after(&later);
    assert_eq!(part(&latest, 9), Some(Part::Test));
    assert_eq!(part(&latest, 1), None, "seen by the run before the run before");
    let relabeled = split(&["home"], &days(0..10)).after(&earlier);
    assert_eq!(part(&relabeled, 7), Some(Part::Validation), "what was chosen by before may be chosen by again");
}

#[test]
fn two_days_are_too_few_and_shares_have_limits() {
    let split = |options: SplitOptions, n_days| Split::new(&options, &["a"], &days(0..n_days));
    assert!(matches!(split(SplitOptions::default(), 2), Err(EvalError::TooFewDays { days: 2 })));
    let options = SplitOptions { train_days: 0.9, validation_days: 0.1, ..SplitOptions::default() };
    assert!(split(options, 10).unwrap_err().to_string().contains("below 1"));
    let options = SplitOptions { train_days: 0.0, ..SplitOptions::default() };
    assert!(split(options, 10).unwrap_err().to_string().contains("`train-days` has to be between 0 and 1, got 0"));
    let options = SplitOptions { embargo_hours: -1.0, ..SplitOptions::default() };
    assert!(split(options, 10).unwrap_err().to_string().contains("`embargo-hours`"));
    assert!(EntitySplit::new(0.8, 0.3, 0).is_err());
}

#[test]
fn entities_are_split_by_their_ids_alone() {
    let split = EntitySplit::new(0.6, 0.2, 7).unwrap();
    let parts: Vec<Part> = (0..10_000).map(|i| split.part(&format!("patient-{i}"))).collect();
    let count = |wanted: Part| parts.iter().filter(|part| **part == wanted).count();
    // Three standard deviations of 10,000 draws are 147 and 120.
    assert!(count(Part::Train).abs_diff(6_000) < 147, "{}", count(Part::Train));
    assert!(count(Part::Test).abs_diff(2_000) < 120, "{}", count(Part::Test));
    assert_eq!(split.part("patient-1"), EntitySplit::new(0.6, 0.2, 7).unwrap().part("patient-1"));
}

#[test]
fn an_episode_in_two_parts_is_a_leak() {
    assert!(check_no_leak([(Part::Train, "a"), (Part::Test, "b"), (Part::Train, "a")]).is_ok());
    let error = check_no_leak([(Part::Train, "a"), (Part::Test, "b"), (Part::Test, "a")]).unwrap_err().to_string();
    assert_eq!(error, "episode `a` is in the training part and in the test part");
}

proptest! {
    #[test]
    fn every_part_has_a_day_and_parts_follow_each_other(
        n_days in 3i64..400, n_sites in 1usize..20, train in 0.05f64..0.8, validation in 0.01f64..0.19
    ) {
        let options = SplitOptions { train_days: train, validation_days: validation, ..SplitOptions::default() };
        let sites: Vec<String> = (0..n_sites).map(|i| format!("s{i:02}")).collect();
        let names: Vec<&str> = sites.iter().map(String::as_str).collect();
        let split = Split::new(&options, &names, &days(5..5 + n_days)).unwrap();
        let parts = |site: &str| (5..5 + n_days).filter_map(|day| split.part(site, day * DAY + NOON)).collect::<Vec<_>>();
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
