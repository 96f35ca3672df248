//! Telling people, from a fault of a real process to the other side of a chat: one message an incident
//! that is edited as it goes on, nothing lost by a kill or a cut, buttons that do what they say.

use std::time::{Duration, Instant};

use serde_json::Value;
use vigie_testkit::chat::{Discord, Fault, Seen, Wire};
use vigie_testkit::lab::{Signal, free_port, send_signal};

use crate::survival::restored;
use crate::watch::{Watch, vigie};

/// A practice server under the process runtime, with these channels.
pub(crate) struct Place {
    pub(crate) directory: tempfile::TempDir,
    channels: String,
}

impl Place {
    pub(crate) fn new(channels: &str, dotenv: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = free_port().unwrap();
        let program = env!("CARGO_BIN_EXE_vigie");
        let text = format!(
            r#"[stack]
name = "practice"
runtime = "process"
[service.gmod]
role = "game"
command = ["{program}", "practice", "--bind", "127.0.0.1", "--port", "{port}", "--boot", "500ms", "--rcon-min-failures", "100"]
env = {{ RCON_PASSWORD = {{ env = "RCON_PASSWORD" }} }}
boot_grace = "20s"
a2s = {{ address = "127.0.0.1:{port}", every = "1s", timeout = "700ms" }}
rcon = {{ address = "127.0.0.1:{port}", password = {{ env = "RCON_PASSWORD" }}, every = "3s", timeout = "700ms" }}
"#
        );
        std::fs::write(directory.path().join("vigie.toml"), text).unwrap();
        let dotenv = format!("RCON_PASSWORD=practice-only\n{dotenv}\n");
        std::fs::write(directory.path().join(".env"), dotenv).unwrap();
        Self { directory, channels: channels.to_owned() }
    }

    /// Ends the server as a crash would.
    pub(crate) fn crash(&self) {
        send_signal(self.server(), Signal::KILL).unwrap();
    }

    /// The server's process.
    pub(crate) fn server(&self) -> i32 {
        let pid = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let path = entry.ok()?.path();
            let pid: i32 = path.file_name()?.to_str()?.parse().ok()?;
            let here = std::fs::read_link(path.join("cwd")).ok()? == self.directory.path();
            let line = std::fs::read(path.join("cmdline")).ok()?;
            let practice = line.split(|byte| *byte == 0).any(|word| word == b"practice");
            (here && practice).then_some(pid)
        });
        { pid }.next().unwrap()
    }

    /// The configuration with its channels.
    fn connect(&self) {
        let path = self.directory.path().join("vigie.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text + &self.channels).unwrap();
    }

    pub(crate) fn watch(&self) -> Watch {
        let mut watch = Watch::beside(self.directory.path());
        wait_for("start", &watch, || watch.run(&["start", "gmod"]).status.success());
        watch.wait_well();
        // Whatever was before the first start is no part of the story, and nobody is told of it.
        watch.kill();
        let state = self.directory.path().join(".vigie");
        for name in ["journal.db", "journal.db-wal", "journal.db-shm"] {
            let _ = std::fs::remove_file(state.join(name));
        }
        self.connect();
        watch.start_again();
        watch.wait_well();
        assert!(watch.incidents().is_empty(), "{}", watch.log());
        watch
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Whoever still runs here was started by this test.
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let path = entry.path();
            let name = entry.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else {
                continue;
            };
            if std::fs::read_link(path.join("cwd")).is_ok_and(|cwd| cwd == self.directory.path()) {
                let _ = send_signal(pid, Signal::KILL);
            }
        }
    }
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

pub(crate) fn wait_for(what: &str, watch: &Watch, done: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < end, "no {what}: {}", watch.log());
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The posts, without the edits.
fn posts(seen: &[Seen]) -> Vec<String> {
    let posts = seen.iter().filter(|one| one.method == "POST" && one.status < 300);
    posts.map(|one| one.body["content"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn an_incident_is_one_message_that_is_edited_until_it_is_restored() {
    let runtime = runtime();
    let discord = runtime.block_on(Discord::start()).unwrap();
    let place = Place::new(
        "[notify.discord]\nurl = { env = \"DISCORD_URL\" }",
        &format!("DISCORD_URL={}", discord.url()),
    );
    let watch = place.watch();
    place.crash();
    watch.wait_for("repair", 40, restored);
    wait_for("the end on the channel", &watch, || posts(&discord.seen()).len() == 2);
    let seen = discord.seen();
    let posts = posts(&seen);
    assert!(posts[0].contains("P1") && posts[0].contains("gmod is exited"), "{posts:?}");
    assert!(posts[1].contains("is back, verified"), "{posts:?}");
    let last = seen.iter().rfind(|one| one.method == "PATCH").expect("the message was edited");
    let embed = last.body["embeds"][0].to_string();
    assert!(embed.contains("restored, verified") && embed.contains("case A"), "{embed}");
    assert!(seen.iter().all(|one| one.status < 300), "nothing was refused: {seen:#?}");
    assert!(!watch.log().contains(discord.secret()), "{}", watch.log());
    // Who was told is in the timeline.
    let shown = watch.json(&["incident", "show", "1", "--json"]);
    let told = shown["timeline"].as_array().unwrap().iter();
    let told: Vec<_> = told.filter_map(|row| row["text"].as_str()).collect();
    assert!(told.contains(&"told discord: opened"), "{told:#?}");
    assert!(told.contains(&"told discord: restored"), "{told:#?}");
}

#[test]
fn what_could_not_be_told_is_told_after_a_kill() {
    let runtime = runtime();
    let discord = runtime.block_on(Discord::start()).unwrap();
    let place = Place::new(
        "[notify.discord]\nurl = { env = \"DISCORD_URL\" }",
        &format!("DISCORD_URL={}", discord.url()),
    );
    let mut watch = place.watch();
    // The other side has a bad time, for as long as this vigie lives.
    for _ in 0..40 {
        discord.order(Fault::answer(503, "busy"));
    }
    place.crash();
    watch.wait_for("repair", 40, restored);
    wait_for("a try", &watch, || !discord.seen().is_empty());
    assert!(posts(&discord.seen()).is_empty());
    watch.kill();
    discord.forgive();
    watch.start_again();
    wait_for("both messages", &watch, || posts(&discord.seen()).len() == 2);
    let posts = posts(&discord.seen());
    assert!(posts[0].contains("gmod is exited") && posts[1].contains("is back"), "{posts:?}");
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(self::posts(&discord.seen()).len(), 2, "nothing is told twice");
}

#[test]
fn what_happened_while_the_network_was_cut_is_told_when_it_is_back() {
    let runtime = runtime();
    let discord = runtime.block_on(Discord::start()).unwrap();
    let (address, path) = discord.url().replace("http://", "").split_once('/').map(owned).unwrap();
    let mut wire = runtime.block_on(Wire::new(address.parse().unwrap())).unwrap();
    let dotenv = format!("DISCORD_URL=http://{}/{path}", wire.here());
    let place = Place::new("[notify.discord]\nurl = { env = \"DISCORD_URL\" }", &dotenv);
    let watch = place.watch();
    runtime.block_on(wire.cut());
    place.crash();
    watch.wait_for("repair", 40, restored);
    wait_for("a try", &watch, || watch.log().contains("a message has to wait"));
    assert!(discord.seen().is_empty());
    {
        let _inside = runtime.enter();
        wire.mend().unwrap();
    }
    wait_for("both messages", &watch, || posts(&discord.seen()).len() == 2);
    let posts = posts(&discord.seen());
    assert!(posts[0].contains("gmod is exited") && posts[1].contains("is back"), "{posts:?}");
    let edits = |seen: &[Seen]| seen.iter().filter(|one| one.method == "PATCH").count();
    std::thread::sleep(Duration::from_secs(3));
    let seen = discord.seen();
    assert_eq!(self::posts(&seen).len(), 2, "nothing is told twice");
    assert!(edits(&seen) <= 2, "what went on meanwhile is told at once: {seen:#?}");
}

fn owned((one, other): (&str, &str)) -> (String, String) {
    (one.to_owned(), other.to_owned())
}

#[test]
fn a_letter_under_way_is_not_cut_off_when_vigie_stops() {
    let runtime = runtime();
    let discord = runtime.block_on(Discord::start()).unwrap();
    let dotenv = format!("DISCORD_URL={}", discord.url());
    let place = Place::new("[notify.discord]\nurl = { env = \"DISCORD_URL\" }", &dotenv);
    let mut watch = place.watch();
    // The other side has it at once, and says so long after the repair: at its end there are still more than
    // the three seconds that everything else has to end in.
    discord.order(Fault::SlowAnswer(Duration::from_secs(8)));
    place.crash();
    watch.wait_for("repair", 40, restored);
    assert_eq!(posts(&discord.seen()).len(), 1);
    let took = watch.stop();
    assert!(took < Duration::from_secs(9), "stopped in {took:?}");
    watch.start_again();
    wait_for("the end on the channel", &watch, || posts(&discord.seen()).len() >= 2);
    std::thread::sleep(Duration::from_secs(2));
    let posts = posts(&discord.seen());
    assert_eq!(posts.len(), 2, "the opening is told once: {posts:?}");
    assert!(posts[0].contains("gmod is exited") && posts[1].contains("is back"), "{posts:?}");
    // The message that it stands for was remembered: it was edited.
    let embed = discord.messages()[0]["embeds"][0].to_string();
    assert!(embed.contains("restored, verified"), "{embed}");
}

#[test]
fn a_channel_that_is_gone_stops_and_the_other_one_says_so() {
    let runtime = runtime();
    let (gone, well) = runtime
        .block_on(async { (Discord::start().await.unwrap(), Discord::start().await.unwrap()) });
    let channels = "[[notify.discord]]\nname = \"old\"\nurl = { env = \"OLD_URL\" }\n\
                    [[notify.discord]]\nname = \"staff\"\nlang = \"fr\"\nurl = { env = \"STAFF_URL\" }";
    let elsewhere = gone.url().replace(gone.secret(), "another-token");
    let dotenv = format!("OLD_URL={elsewhere}\nSTAFF_URL={}", well.url());
    let place = Place::new(channels, &dotenv);
    let watch = place.watch();
    place.crash();
    let said = || posts(&well.seen()).iter().any(|text| text.contains("le canal old"));
    wait_for("word of the other channel", &watch, said);
    let status = watch.json(&["status", "--json"]);
    let old = status["channels"].as_array().unwrap().iter().find(|one| one["name"] == "old");
    assert!(old.unwrap()["stopped"].is_string(), "{status:#}");
    wait_for("the end", &watch, || {
        posts(&well.seen()).iter().any(|text| text.contains("est de retour"))
    });
    let opening = posts(&well.seen()).into_iter().find(|text| text.contains("P1")).unwrap();
    assert!(opening.contains("gmod est arrêté"), "{opening}");
}

#[test]
fn a_test_message_says_what_the_other_side_answered() {
    let runtime = runtime();
    let discord = runtime.block_on(Discord::start()).unwrap();
    let place = Place::new(
        "[notify.discord]\nurl = { env = \"DISCORD_URL\" }\n[notify.telegram]\ntoken = { env = \"NOT_THERE\" }\nchat = 1",
        &format!("DISCORD_URL={}", discord.url()),
    );
    place.connect();
    let run = |words: &[&str]| {
        let output = vigie().args(words).current_dir(place.directory.path()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), text + &String::from_utf8_lossy(&output.stderr))
    };
    let (code, text) = run(&["notify", "test", "discord"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("ok discord"), "{text}");
    assert_eq!(posts(&discord.seen()).len(), 1);
    let (code, text) = run(&["notify", "test"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("NOT_THERE is not set"), "{text}");
    let (code, text) = run(&["notify", "test", "nope"]);
    assert_eq!((code, text.contains("there are: discord, telegram")), (Some(2), true), "{text}");
    let (code, text) = run(&["notify", "test", "--dry-run"]);
    assert_eq!((code, posts(&discord.seen()).len()), (Some(0), 2), "{text}");
    let (_, text) = run(&["notify", "list", "--json"]);
    let list: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(list[1]["kind"], "telegram");
}

#[test]
fn many_incidents_that_are_not_bad_are_one_message_also_over_a_kill() {
    let runtime = runtime();
    let discord = runtime.block_on(Discord::start()).unwrap();
    let place = Place::new(
        "[notify.discord]\nurl = { env = \"DISCORD_URL\" }\nmin_severity = \"P4\"",
        &format!("DISCORD_URL={}", discord.url()),
    );
    let mut watch = place.watch();
    for _ in 0..40 {
        discord.order(Fault::answer(503, "busy"));
    }
    let say = |watch: &Watch, words: &[&str]| {
        let output = watch.run(words);
        assert!(output.status.success(), "{output:?}");
    };
    for number in 1..=7 {
        let text = format!("the shop is empty *{number}*");
        say(&watch, &["incident", "report", "--severity", "P3", "--by", "Ann", &text]);
    }
    say(&watch, &["incident", "report", "--severity", "P2", "--by", "Ann", "nobody can buy"]);
    say(&watch, &["incident", "resolve", "2", "--by", "Ann"]);
    say(&watch, &["incident", "resolve", "5", "--by", "Ann"]);
    assert_eq!(watch.incidents().len(), 8);
    watch.kill();
    discord.forgive();
    watch.start_again();
    // The worst goes first, and alone: it is opened, and handed to people.
    wait_for("three messages", &watch, || posts(&discord.seen()).len() == 3);
    let told = posts(&discord.seen());
    assert!(told[..2].iter().all(|text| text.contains("#8")), "{told:?}");
    assert!(told[2].contains("7 incidents, 2 of them over"), "{told:?}");
    let digest = discord.seen().into_iter().filter(|one| one.method == "POST" && one.status < 300);
    let digest = digest.last().unwrap().body["embeds"][0]["description"].to_string();
    for number in 1..=7 {
        let state = if number == 2 || number == 5 { "resolved" } else { "open" };
        let line = format!("#{number} P3 gmod · {state}: the shop is empty \\\\*{number}");
        assert!(digest.contains(&line), "no {line:?} in {digest}");
    }
    // Who was told is in the timeline of each.
    let shown = watch.json(&["incident", "show", "2", "--json"]).to_string();
    for text in ["told discord: opened in a digest", "told discord: resolved in a digest"] {
        assert!(shown.contains(text), "{shown}");
    }
    // What comes afterwards has a message of its own.
    say(&watch, &["incident", "note", "3", "--by", "Ann", "it is the addon"]);
    wait_for("its own message", &watch, || posts(&discord.seen()).len() == 4);
    let own = discord.seen().into_iter().rfind(|one| one.method == "POST").unwrap();
    assert!(own.body["embeds"][0].to_string().contains("incident #3"), "{:#}", own.body);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(posts(&discord.seen()).len(), 4, "nothing is told twice");
}

#[test]
fn a_new_incident_that_is_known_says_what_fixed_it() {
    let runtime = runtime();
    let discord = runtime.block_on(Discord::start()).unwrap();
    let channels = "[notify.discord]\nurl = { env = \"DISCORD_URL\" }\n";
    let place = Place::new(channels, &format!("DISCORD_URL={}", discord.url()));
    let table = "#,Incident,Resolution,Matches\n1,Black map,Lights compiled again,black map\n";
    std::fs::write(place.directory.path().join("more.csv"), table).unwrap();
    let watch = place.watch();
    assert!(watch.run(&["incident", "import", "more.csv"]).status.success());
    let report = ["incident", "report", "a black map again", "--severity", "P3"];
    assert!(watch.run(&report).status.success());
    let told = || discord.seen().iter().map(|one| one.body.to_string()).collect::<String>();
    wait_for("recall", &watch, || told().contains("fixed by Lights compiled again"));
    assert!(told().contains("Seen before") && told().contains("\"K11, fixed by"), "{}", told());
}
