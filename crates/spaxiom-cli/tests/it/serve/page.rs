//! The explorer as a person uses it.

use serde_json::json;
use tempfile::TempDir;

use super::writing::{lines, store_in};
use super::{Server, browser};
use crate::store::STORE;
use crate::{WORLD, written};

/// Where pictures of the page are wanted.
const PICTURES: &str = "SPAXIOM_PICTURES";

#[test]
fn no_script_stands_in_the_page_and_nothing_is_loaded_from_elsewhere() {
    let server = Server::start(&STORE, &[]);
    let mut page = server.agent.get(&server.address).call().unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe"), "{policy}");
    let text = page.body_mut().read_to_string().unwrap();
    assert!(!text.contains("<script>") && !text.contains("://") && !text.contains("style="), "{text}");
}

/// Searches, removes a limit, clicks a moment on the map, opens one beside it: at two widths.
#[test]
#[expect(clippy::disallowed_methods, reason = "whoever wants pictures says so in the environment")]
fn a_person_finds_moments_and_sees_two_beside_each_other() {
    let Some(browser) = browser::start() else { return };
    let server = Server::start(&STORE, &["--site-map", &format!("{}/site-map.toml", WORLD.data())]);
    for (width, height) in [(1200, 900), (420, 900)] {
        browser.open(&server.address, (width, height));
        browser.wait("the map", || browser.run("return Number(document.getElementById('map').dataset.points)") != 0);
        browser.wait("days", || browser.count("#timeline canvas") == 1);
        assert_eq!(browser.run("return document.getElementById('timeline').dataset.days"), "5");
        browser.type_into("#text", "queues at warehouse-01");
        browser.click("#ask button[type=submit]");
        browser.wait("hits", || browser.count("#hits tbody tr") > 3);
        assert!(browser.text("#understood").contains("site = warehouse-01"), "{}", browser.text("#understood"));

        browser.run("const site = document.getElementById('site'); site.value = 'warehouse-01'; site.dispatchEvent(new Event('change'))");
        browser.wait("the chip", || browser.text("#chips").contains("warehouse-01"));
        browser.click("#chips button");
        browser.wait("no chip", || browser.count("#chips button") == 0);

        // A click on a moment of the map asks for moments like it, and they are marked on it.
        browser.wait("marked hits", || {
            browser.run("return Number(document.getElementById('map').dataset.hits)").as_u64() > Some(3)
        });
        let hit = browser.run("return window.getComputedStyle(document.getElementById('map')).height");
        assert_eq!(hit, "416px");
        click_some_moment(&browser);
        browser.wait("moments like it", || browser.text("#understood").starts_with("like the moment of"));
        browser.wait("hits", || browser.count("#hits tbody tr") > 3);
        browser.click("#hits tbody tr:nth-child(2) button");
        browser.wait("two moments", || browser.text("#episodes-title") == "Two moments beside each other");
        browser.wait("why", || browser.text("#why").contains("events in the same order"));
        assert!(browser.count("#axis circle") > 10 && browser.count("#plan .zone") > 5);
        let address = browser.run("return location.search");
        assert!(address.as_str().unwrap().contains("like=") && address.as_str().unwrap().contains("hit="), "{address}");
        assert!(browser.run("return document.documentElement.scrollWidth <= window.innerWidth") == true, "{width}");
        if let Some(folder) = std::env::var_os(PICTURES) {
            browser.run("window.scrollTo(0, 0)");
            browser.picture(&std::path::Path::new(&folder).join(format!("explorer-{width}.png")));
        }

        // The address alone is the view.
        browser.open(&format!("{}/?q=unicorns", server.address), (width, height));
        browser.wait("the reason", || browser.text("#understood").contains("no word of the text names"));
        browser.wait("days", || browser.count("#timeline .u-over") == 1);
        browser.drag("#timeline .u-over", -40, 60);
        browser.wait("days", || browser.text("#chips").contains("from 2025-01-"));
    }
}

/// Clicks on the canvas near its middle until something is there.
fn click_some_moment(browser: &browser::Browser) {
    for at in 0..40 {
        let (angle, far) = (f64::from(at) * 2.4, 6.0 * f64::from(at));
        #[expect(clippy::cast_possible_truncation, reason = "pixels")]
        browser.click_at("#map", [(far * angle.cos() / 2.0) as i64, (far * angle.sin() / 2.0) as i64]);
        if browser.run("return location.search.includes('like=')") == true {
            return;
        }
    }
    panic!("there is no moment near the middle of the map");
}

/// Acknowledges an alert, labels a hit, and watches events come.
#[test]
fn a_person_acknowledges_an_alert_and_watches_events_come() {
    let Some(browser) = browser::start() else { return };
    let folder = TempDir::new().unwrap();
    let store = store_in(&folder);
    let lines = lines();
    let server = Server::start(&store, &["--allow-write"]);
    assert_eq!(server.post("/v1/events", lines[..200].join("\n")).0, 200);
    assert!(server.terminate().success());
    let first: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    let rule = json!(first["id"]).to_string();
    let rules = format!("[[trigger]]\nname = \"again\"\nevent = {rule}\nsimilarity = -1.0\nclear = -1.0\ntypes = []\n");
    let rules = written(folder.path(), "rules.toml", &rules);
    let server = Server::start(&store, &["--allow-write", "--alert-rules", &rules]);
    browser.open(&server.address, (1200, 900));
    browser.wait("the page", || browser.run("return document.body.dataset.shown") != json!(null));
    browser.click("#live");
    // What comes is shown while it comes.
    browser.wait("events", || {
        let at = browser.count("#now-list li");
        assert_eq!(server.post("/v1/events", lines[200 + 20 * at..220 + 20 * at].join("\n")).0, 200);
        browser.count("#now-list li") > 0
    });
    browser.wait("the alert", || browser.text("#alerts tbody").contains("firing"));
    // Nothing new comes while somebody decides.
    browser.click("#live");
    browser.run("const what = document.querySelector('#alerts select'); what.value = 'near'; what.dispatchEvent(new Event('change'))");
    // In one step: rows are drawn anew whenever an alert changes.
    browser.run("document.querySelector('#alerts tbody tr td:last-child button:last-child').click()");
    // It may be over by now, and another one of its zone have begun.
    browser.wait("acknowledged", || server.get("/v1/labels").1["outcomes"][0]["outcome"] == "near");
    browser.run("document.querySelector('#alerts tbody tr td:last-child button').click()");
    browser.wait("hits", || browser.count("#hits tbody tr [aria-pressed]") > 1);
    browser.click("#hits tbody tr [aria-pressed]");
    browser.wait("the label", || browser.count("#hits [aria-pressed=true]") == 1);
    assert_eq!(server.get("/v1/labels").1["total"], 1);
}
