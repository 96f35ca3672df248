//! Telling others that the watch lives: a heartbeat elsewhere.

use vigie_testkit::chat::{Fault, Heartbeat};

use crate::notify::{Place, runtime, wait_for};

#[test]
fn the_heartbeat_is_heard_elsewhere_until_the_watch_ends() {
    let runtime = runtime();
    let check = runtime.block_on(Heartbeat::start()).unwrap();
    let place = Place::new(
        "[heartbeat]\nurl = { env = \"HEARTBEAT_URL\" }\nevery = \"1s\"",
        &format!("HEARTBEAT_URL={}", check.url()),
    );
    let mut watch = place.watch();
    wait_for("beats", &watch, || check.beats() >= 2);
    let heartbeat = || watch.json(&["status", "--json"])["heartbeat"].clone();
    assert!(heartbeat()["last"].is_string() && heartbeat()["why"].is_null(), "{}", heartbeat());
    // Elsewhere has a bad time, which is said once.
    for fault in [Fault::answer(404, "no such check"), Fault::Drop, Fault::answer(302, "")] {
        check.order(fault);
    }
    wait_for("a failure", &watch, || heartbeat()["failing_since"].is_string());
    wait_for("the end of it", &watch, || heartbeat()["failing_since"].is_null());
    let count = |text: &str| watch.log().matches(text).count();
    assert_eq!(count("the heartbeat does not arrive"), 1, "{}", watch.log());
    assert_eq!(count("the heartbeat arrives again"), 1, "{}", watch.log());
    let shown = watch.run(&["status"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("heartbeat: "), "{shown}");
    for text in [watch.log(), shown] {
        assert!(!text.contains(check.secret()), "{text}");
    }
    watch.kill();
    let before = check.beats();
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(check.beats(), before);
    assert!(check.seen().iter().all(|seen| seen.method == "GET"));
}
