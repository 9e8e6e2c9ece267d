//! Hits as text.

use std::fmt::Write;

use spaxiom_embedding::{Aligned, Evidence, Followed, Hidden, SearchResult};

/// Similarity, type, site, zone, time on the site's clock, folded hits and id, one line a hit; its evidence below it.
pub(crate) fn table(hits: &[SearchResult]) -> String {
    let mut text = format!(
        "{:>10}  {:<20} {:<14} {:<16} {:<30} {:>5}  id\n",
        "similarity", "type", "site", "zone", "time", "more"
    );
    for hit in hits {
        let SearchResult { id, site, similarity, kind, zone, time, local_time, n_folded, metadata: _, evidence: why } =
            hit;
        let zone = zone.as_deref().unwrap_or("-");
        let time = local_time.as_deref().unwrap_or(time);
        let more = if *n_folded > 0 { format!("+{n_folded}") } else { String::new() };
        let _ = writeln!(text, "{similarity:>10.4}  {kind:<20} {site:<14} {zone:<16} {time:<30} {more:>5}  {id}");
        if let Some(why) = why {
            text.push_str(&evidence(why));
        }
    }
    text
}

/// What both moments have in common, what counts, and what followed.
pub(super) fn evidence(evidence: &Evidence) -> String {
    let Evidence { aligned, hidden, followed } = evidence;
    let mut text = String::new();
    for Aligned { kind, zone, hit_zone, secs_before, hit_secs_before } in aligned {
        let [zone, hit_zone] = [zone, hit_zone].map(|zone| zone.as_deref().unwrap_or("-"));
        let _ = writeln!(
            text,
            "    {kind:<20} {zone:<16} {secs_before:>7.0} s before | {hit_zone:<16} {hit_secs_before:>7.0} s before"
        );
    }
    let hidden: Vec<String> = hidden.iter().map(|Hidden { part, loss }| format!("{part} {loss:+.3}")).collect();
    let _ = writeln!(text, "    similarity lost without: {}", hidden.join(", "));
    let Followed { n_events, types } = followed;
    let types: Vec<String> = types.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
    let types = if types.is_empty() { String::new() } else { format!(": {}", types.join(", ")) };
    let _ = writeln!(text, "    followed within 30 minutes by {n_events} events{types}");
    text
}
