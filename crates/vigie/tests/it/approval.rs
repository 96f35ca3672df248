//! Who decides: the buttons below a message, from a press to what the daemon does; and what is done when
//! nobody presses any.

use std::time::Duration;

use serde_json::Value;
use vigie_testkit::chat::Telegram;

use crate::notify::{Place, runtime, wait_for};
use crate::survival::restored;
use crate::watch::Watch;

const ANN: i64 = 4_242;
const EVE: i64 = 666;

/// A runbook of one case, which asks.
fn asking(keys: &str) -> String {
    format!(
        "name = \"p1-unreachable\"\ntitle = {{ en = \"Down\" }}\non = [\"down\"]\nroles = [\"game\"]\n\
         [[case]]\nid = \"A\"\ntitle = {{ en = \"Start it\" }}\nwhen = [{{ state = [\"exited\"] }}]\n\
         steps = [{{ up = {{}} }}]\nrisk = \"high\"\n{keys}\n"
    )
}

struct Asked {
    telegram: Telegram,
    watch: Watch,
    // The directory lives as long as the watch, and the chat on the runtime.
    _place: Place,
    _runtime: tokio::runtime::Runtime,
}

impl Asked {
    /// A server that crashed, and the question whether it may be started.
    fn of(keys: &str) -> Self {
        let runtime = runtime();
        let telegram = runtime.block_on(Telegram::start()).unwrap();
        let (api, chat) = (telegram.api(), Telegram::CHAT);
        let channel = format!(
            "[notify.telegram]\ntoken = {{ env = \"TOKEN\" }}\nchat = {chat}\nusers = [{ANN}]\napi = \"{api}\""
        );
        let place = Place::new(&channel, &format!("TOKEN={}", telegram.token()));
        let runbooks = place.directory.path().join("runbooks");
        std::fs::create_dir(&runbooks).unwrap();
        std::fs::write(runbooks.join("p1-unreachable.toml"), asking(keys)).unwrap();
        let watch = place.watch();
        place.crash();
        let asked = Self { telegram, watch, _place: place, _runtime: runtime };
        asked.wait("the question", || {
            asked.texts().iter().any(|text| text.contains("a yes is needed"))
        });
        asked
    }

    fn wait(&self, what: &str, done: impl Fn() -> bool) {
        wait_for(what, &self.watch, done);
    }

    fn texts(&self) -> Vec<String> {
        let messages = self.telegram.messages();
        messages.iter().map(|one| one["text"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// The button with this word, as it stands below the messages.
    fn button(&self, word: &str) -> String {
        let messages = self.telegram.messages();
        let rows =
            messages.iter().filter_map(|one| one["reply_markup"]["inline_keyboard"].as_array());
        let mut buttons = rows.flatten().filter_map(Value::as_array).flatten();
        let found = buttons.find(|one| one["text"] == word);
        found.unwrap_or_else(|| panic!("no {word}: {messages:#?}"))["callback_data"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Presses it, and waits for what is said to whoever pressed.
    fn press(&self, user: i64, name: &str, word: &str) -> String {
        let before = self.telegram.answers().len();
        self.telegram.press(Telegram::CHAT, user, name, &self.button(word));
        self.wait("an answer", || self.telegram.answers().len() > before);
        self.telegram.answers().pop().unwrap()
    }

    fn incident(&self) -> Value {
        self.watch.incidents().remove(0)
    }

    fn timeline(&self) -> Vec<String> {
        let shown = self.watch.json(&["incident", "show", "1", "--json"]);
        let rows = shown["timeline"].as_array().unwrap().iter();
        rows.map(|row| row["text"].as_str().unwrap().to_owned()).collect()
    }

    fn assert_told(&self, text: &str) {
        let timeline = self.timeline();
        assert!(timeline.iter().any(|line| line == text), "no {text:?}: {timeline:#?}");
    }
}

#[test]
fn a_press_takes_it_in_hand_and_a_strangers_does_nothing() {
    let asked = Asked::of("");
    let before = asked.timeline();
    for word in ["Acknowledge", "Approve", "Refuse"] {
        assert_eq!(asked.press(EVE, "Eve", word), "not you");
    }
    assert!(asked.incident()["acknowledged"].is_null(), "{:#}", asked.incident());
    // Eve's name is in the log and nowhere else.
    let news = asked.timeline().into_iter().filter(|line| !before.contains(line));
    let news: Vec<_> = news.filter(|line| !line.starts_with("told telegram")).collect();
    assert!(news.is_empty(), "{news:?}");
    asked.press(ANN, "Ann", "Acknowledge");
    assert_eq!(asked.incident()["acknowledged"]["by"], "Ann (Telegram)", "{:#}", asked.incident());
    asked.assert_told("acknowledged by Ann (Telegram)");
    assert!(asked.watch.incidents()[0]["restored"].is_null(), "nobody said yes");
    // The message says so to everybody, and has no such button any more.
    asked.wait("the edit", || asked.texts().iter().any(|text| text.contains("Ann (Telegram)")));
}

#[test]
fn a_press_decides_a_run() {
    let asked = Asked::of("");
    let status = asked.watch.json(&["status", "--json"]);
    assert_eq!(status["approvals"][0]["default"], "refuse", "{status:#}");
    let answer = asked.press(ANN, "Ann", "Approve");
    assert!(answer.contains("approved"), "{answer}");
    asked.watch.wait_for("repair", 40, restored);
    asked.assert_told("approved by Ann (Telegram)");
    // Twice is once: it is decided.
    let answer = {
        asked.telegram.press(Telegram::CHAT, ANN, "Ann", "no:1");
        asked.wait("an answer", || asked.telegram.answers().len() > 1);
        asked.telegram.answers().pop().unwrap()
    };
    assert!(answer.contains("is not waiting"), "{answer}");
}

#[test]
fn a_press_refuses_a_run() {
    let asked = Asked::of("approve_default = \"approve\"");
    let answer = asked.press(ANN, "Ann", "Refuse");
    assert!(answer.contains("refused"), "{answer}");
    asked.watch.wait_for("escalation", 20, |all| all[0]["state"] == "escalated");
    asked.assert_told("refused by Ann (Telegram)");
    assert!(asked.incident()["restored"].is_null());
    assert_eq!(asked.incident()["runs"][0]["steps"].as_array().map(Vec::len), Some(0));
}

#[test]
fn silence_is_what_the_case_makes_of_it_also_over_a_kill() {
    let mut asked = Asked::of("approve_timeout = \"15s\"\napprove_default = \"approve\"");
    let question = asked.texts().into_iter().find(|text| text.contains("a yes is needed")).unwrap();
    assert!(
        question.contains("without an answer within") && question.contains("it is done"),
        "{question}"
    );
    let shown = asked.watch.run(&["status"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("or refuse 1; without an answer by"), "{shown}");
    asked.watch.kill();
    asked.watch.start_again();
    asked.watch.wait_for("repair", 60, restored);
    asked.assert_told("nobody answered in time: approved by default, as case A says");
    let asks =
        asked.timeline().iter().filter(|line| line.starts_with("waits for approval")).count();
    assert_eq!(asks, 1, "{:#?}", asked.timeline());
}

#[test]
fn silence_is_a_no_unless_the_case_says_otherwise() {
    let asked = Asked::of("approve_timeout = \"5s\"");
    let question = asked.texts().into_iter().find(|text| text.contains("a yes is needed")).unwrap();
    assert!(question.contains("it is left"), "{question}");
    asked.watch.wait_for("escalation", 30, |all| all[0]["state"] == "escalated");
    asked.assert_told("nobody answered in time: refused by default");
    std::thread::sleep(Duration::from_secs(1));
    assert!(asked.incident()["restored"].is_null(), "{:#}", asked.incident());
}
