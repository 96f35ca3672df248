//! What is shipped reads; what is wrong is refused with its place and a way out; a secret that was
//! written down is not repeated; nothing that can be in a file makes it panic.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use vigie_core::incident::Severity;
use vigie_core::respond::{Condition, Risk, Step};

use super::*;

const SECRET: &str = "hunter2-81537";
const STACK: &str = "[stack]\nname = \"x\"\n";
const GAME: &str = "[service.gmod]\nrole = \"game\"\n";

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

fn read(text: &str) -> Result<Config, ConfigError> {
    // A directory that is not there: no runbooks and no `.env` but the built-in ones.
    Config::parse(Path::new("nowhere/vigie.toml"), text)
}

/// The error about `lines`, written below a game's own two.
fn error(lines: &str) -> ConfigError {
    read(&format!("{STACK}{GAME}{lines}\n")).expect_err(lines)
}

/// The error is at `at` and says all of `parts`, and says no more than a screen holds.
fn assert_told(error: &ConfigError, at: (usize, usize), parts: &[&str]) {
    let text = error.to_string();
    assert_eq!(error.at, at, "{text}");
    assert!(text.starts_with("nowhere/vigie.toml"), "{text}");
    for part in parts {
        assert!(text.contains(part), "no {part:?}:\n{text}");
    }
    assert!(text.len() < 1_000 && text.lines().count() <= 6, "{text}");
}

fn toml_files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|ending| ending == "toml")).collect();
    files.sort();
    files
}

#[test]
fn every_example_reads() {
    let mut stacks = 0;
    for entry in std::fs::read_dir(examples()).unwrap() {
        let directory = entry.unwrap().path();
        let path = directory.join("vigie.toml");
        if !path.is_file() {
            continue;
        }
        stacks += 1;
        let config = Config::read(&path).unwrap_or_else(|error| panic!("{error}"));
        assert!(config.stack.services().count() > 0);
        let runbooks = directory.join("runbooks");
        if runbooks.is_dir() {
            for file in toml_files(&runbooks) {
                let text = std::fs::read_to_string(&file).unwrap();
                let runbook = parse_runbook(&file, &text).unwrap_or_else(|error| panic!("{error}"));
                assert_eq!(Some(runbook.name.as_str()), file.file_stem().and_then(|n| n.to_str()));
            }
        }
    }
    assert!(stacks >= 2, "{stacks} examples");
}

#[test]
fn the_reference_stack_is_what_its_readme_says() {
    let directory = examples().join("gmod-darkrp");
    let config = Config::read(&directory.join("vigie.toml")).unwrap();
    let game = config.stack.find("gmod").unwrap();
    assert!(config.stack.depends(game, config.stack.find("mysql").unwrap()));
    assert!(config.stack.service(game).proofs.a2s && config.stack.service(game).proofs.rcon);
    // The compose file has every service, and `.env.example` every secret that either file names.
    let yaml = std::fs::read_to_string(directory.join("compose.yaml")).unwrap();
    let named = std::fs::read_to_string(directory.join(".env.example")).unwrap();
    for (name, service) in &config.file.service {
        assert!(yaml.contains(&format!("\n  {name}:\n")), "{name}");
        let container = service.container.as_ref().unwrap();
        assert!(yaml.contains(&format!("container_name: {container}\n")), "{container}");
        let rcon = service.rcon.as_ref().map(|probe| &probe.password);
        let database = service.database.as_ref().map(|probe| &probe.password);
        for secret in rcon.into_iter().chain(database) {
            let Secret::Env(variable) = secret else { panic!("{secret:?}") };
            assert!(yaml.contains(&format!("${{{variable}:?")), "{variable}");
            assert!(named.contains(&format!("{variable}=\n")), "{variable}");
        }
    }
    // The changed runbook has taken the built-in one's place, and the new one is tried first.
    let named = |name: &str| {
        let mut found = config.stack.runbooks.iter().filter(|runbook| runbook.name == name);
        (found.next().unwrap(), found.next())
    };
    let (changed, None) = named("p1-unreachable") else { panic!("it is there twice") };
    assert_eq!(changed.case("E").unwrap().risk, Risk::High);
    let (memory, _) = named("p3-game-memory");
    let case = memory.case("W").unwrap();
    assert!(matches!(case.steps[..], [Step::Rcon { .. }, Step::Wait { .. }, Step::Restart { .. }]));
    let kind = vigie_core::detect::SymptomKind::MemoryPressure;
    let first =
        config.stack.runbooks.iter().find(|one| one.answers(kind, vigie_core::stack::Role::Game));
    assert_eq!(first.unwrap().name, "p3-game-memory");
}

#[test]
fn every_built_in_runbook_reads_and_is_listed() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks");
    let files = toml_files(&directory);
    assert_eq!(files.len(), BUILT_IN.len());
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy();
        let (_, text) = BUILT_IN.iter().find(|(known, _)| *known == name).expect(&name);
        let runbook = parse_runbook(&file, text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(runbook.name, name);
        assert!(runbook.title.fr.is_some(), "{name} has no French title");
        for case in &runbook.cases {
            for condition in &case.when {
                // A misspelt symptom would never hold.
                if let Condition::Symptom(word) = condition {
                    let known = vigie_core::detect::SymptomKind::ALL;
                    assert!(known.iter().any(|kind| kind.word() == word), "{name}: {word}");
                }
            }
        }
    }
    assert_eq!(load_runbooks(Path::new("nowhere/runbooks")).unwrap().len(), BUILT_IN.len());
}

#[test]
fn an_unknown_key_is_shown_with_the_nearest_one() {
    let told = error("depends_onn = []");
    assert_told(
        &told,
        (5, 1),
        &["unknown field `depends_onn`", "5 | depends_onn", "did you mean `depends_on`?"],
    );
    let nested = error("a2s = { adress = \"127.0.0.1:27015\" }");
    assert_told(&nested, (5, 9), &["`adress`", "hint: did you mean `address`?"]);
    // Far from everything: all that there is.
    let far = error("a2s = { qqqqqqqq = 1 }");
    assert_told(&far, (5, 9), &["known here: address, every, timeout"]);
    // A column counts characters, not bytes.
    let late = error("a2s = { address = \"éé:1\", adress = 1 }");
    assert_told(&late, (5, 27), &["`adress`"]);
}

#[test]
fn values_that_are_wrong_say_what_is_right() {
    let span = ["is not a length of time", "\"5s\", \"2m\" or \"1h\""];
    for wrong in ["5 parsecs", "", "-5s", "5", "s", "1h-", "99999999999999999999h", "١s"] {
        assert_told(&error(&format!("boot_grace = \"{wrong}\"")), (5, 14), &span);
    }
    for wrong in ["3 gigs", "", "-1", "99999999t", "3é", "0x10", "1.5GiB"] {
        let told = error(&format!("memory = \"{wrong}\""));
        assert_told(&told, (5, 10), &["is not a size", "\"512MiB\" or \"3GiB\""]);
    }
    assert_told(&error("boot_grace = 5"), (5, 14), &["integer `5`, expected a string"]);
    let role = read(&format!("{STACK}[service.x]\nrole = \"gaem\"\n")).unwrap_err();
    assert_told(&role, (4, 8), &["unknown variant `gaem`", "did you mean `game`?"]);
    let mode = read(&format!("{STACK}mode = \"atuo\"\n{GAME}")).unwrap_err();
    assert_told(&mode, (3, 8), &["did you mean `auto`?"]);
    let kind = error("[severity]\ncrash_lop = \"P1\"");
    assert_told(&kind, (6, 1), &["did you mean `crash_loop`?"]);
    for wrong in ["127.0.0.1", "a:0", "a:65536", "a:", ""] {
        let told = error(&format!("a2s = {{ address = \"{wrong}\" }}"));
        assert_told(&told, (5, 19), &["is no address; write HOST:PORT"]);
    }
    let cron = error("[[maintenance]]\ncron = \"99 * * * *\"\nfor = \"1h\"");
    assert_told(&cron, (6, 9), &["is no cron schedule"]);
    let beat = error("[heartbeat]\nurl = { env = \"X\" }\nevery = \"10ms\"");
    assert_told(&beat, (7, 1), &["`every` is too short"]);
    let beat = error(&format!("[heartbeat]\nurl = \"https://hc.example/{SECRET}\""));
    assert_told(&beat, (6, 7), &["{ env = \"NAME\" }"]);
    assert!(!beat.to_string().contains(SECRET), "{beat}");
}

#[test]
fn services_that_do_not_fit_together_are_refused() {
    assert_told(&error(GAME), (5, 10), &["duplicate key", "5 | [service.gmod]"]);
    let unknown = error("depends_on = [\"mysq\"]\n[service.mysql]\nrole = \"database\"");
    assert_told(&unknown, (5, 15), &["unknown service `mysq`", "did you mean `mysql`?"]);
    let host = read(&format!("{STACK}[service.host]\nrole = \"game\"\n")).unwrap_err();
    assert_told(&host, (3, 10), &["the host's own name"]);
    let process = read(&format!("{STACK}runtime = \"process\"\n{GAME}")).unwrap_err();
    assert_told(&process, (4, 1), &["`gmod` needs a `command`"]);
}

#[test]
fn two_databases_whose_backups_would_have_one_name_are_refused() {
    let database = |name: &str, schema: &str| {
        format!(
            "[service.{name}]\nrole = \"database\"\ndatabase = {{ address = \"a:1\", user = \"u\", \
             password = {{ env = \"P\" }}, schema = \"{schema}\" }}\n"
        )
    };
    let both = database("one", "darkrp") + &database("two", "darkrp");
    let backup = "[backup]\npassword = { env = \"B\" }\nsite.disk.local = \"/mnt\"\n";
    let told = error(&format!("{both}{backup}"));
    let parts = ["`one` and `two` both have the schema `darkrp`", "`exclude`", "another name"];
    assert_told(&told, (10, 69), &parts);
    let reads = |lines: &str| assert!(read(&format!("{STACK}{GAME}{lines}")).is_ok(), "{lines}");
    reads(&both);
    reads(&format!("{both}{backup}exclude = [\"database:darkrp\"]\n"));
    reads(&format!("{}{}{backup}", database("one", "darkrp"), database("two", "other")));
}

#[test]
fn what_is_hardly_a_file_is_refused() {
    assert_told(&read("").unwrap_err(), (1, 1), &["missing field `stack`"]);
    assert_told(&read(STACK).unwrap_err(), (0, 0), &["it names no [service.…]", "vigie init"]);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vigie.toml");
    let refused = || Config::read(&path).unwrap_err().to_string();
    assert!(refused().contains("vigie.toml: cannot be read") && refused().contains("vigie init"));
    std::fs::write(&path, [STACK.as_bytes(), b"# caf\xe9\n"].concat()).unwrap();
    assert!(refused().contains("valid UTF-8"), "{}", refused());
    // A megabyte of garbage, in lines.
    let garbage: String =
        (0_u32..40_000).map(|n| format!("{:x} = [{n}}}\t\u{1}\n", n * 7919)).collect();
    assert!(garbage.len() > 700_000);
    let told = read(&garbage).unwrap_err();
    assert_told(&told, (1, 7), &[]);
    // A runbook that is wrong is named, not the file beside it.
    std::fs::create_dir(directory.path().join("runbooks")).unwrap();
    std::fs::write(directory.path().join("runbooks/mine.toml"), "name = \"mine\"\nonn = []\n")
        .unwrap();
    std::fs::write(&path, format!("{STACK}{GAME}")).unwrap();
    assert!(refused().contains("mine.toml:2:1: unknown field `onn`"), "{}", refused());
}

#[test]
fn a_file_from_another_system_reads() {
    let text = format!("\u{feff}{STACK}{GAME}").replace('\n', "\r\n");
    assert_eq!(read(&text).unwrap().stack.name, "x");
}

/// Lines with a secret in them, each wrong in its own way.
fn assert_kept(lines: &[&str]) {
    let lines = lines.iter().map(|line| line.replace("SECRET", SECRET));
    let leaks: Vec<String> =
        lines.map(|line| error(&line).to_string()).filter(|text| text.contains(SECRET)).collect();
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n\n"));
}

#[test]
fn a_literal_secret_is_refused_and_not_repeated() {
    let told = error(&format!("rcon = {{ address = \"a:1\", password = \"{SECRET}\" }}"));
    let advice = "a secret is never written here; say where it is: { env = \"NAME\" }";
    assert_told(&told, (5, 38), &[advice]);
    let told = error(&format!("env = {{ MYSQL_PASSWORD = \"{SECRET}\" }}"));
    assert_told(&told, (5, 9), &["looks like a secret", "{ env = \"NAME\" }"]);
    assert_kept(&[
        "rcon = { address = \"a:1\", password = 'SECRET' }",
        "rcon = { address = \"a:1\", password = [\"SECRET\"] }",
        "rcon = { address = \"a:1\", password = { literal = \"SECRET\" } }",
        "rcon = { address = \"a:1\", password = { env = \"SECRET\", file = \"b\" } }",
        "rcon = { address = \"a:1\", password = \"\"\"\nSECRET\"\"\" }",
        "rcon = { password = \"SECRET\", adress = \"a:1\" }",
        "rcon = { address = \"a:1\", mot_de_passe = \"SECRET\" }",
        "[service.gmod.rcon]\npassword = \"SECRET",
        "[service.gmod.rcon]\npassword = \"SECRET\\q\"",
        "[service.gmod.rcon]\npassword = \"SECRET\"\npassword = \"SECRET\"",
        "[service.gmod.rcon]\n\"password\" = \"SECRET\"",
        "env = { AUTHKEY = \"SECRET\" }",
    ]);
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    assert_kept(&[
        "rcon = { address = \"a:1\", pasword = \"SECRET\" }",
        "rcon = { address = \"a:1\", password = SECRET }",
        "password: \"SECRET\"",
        "rcon = \"SECRET\"",
        "database = \"mysql://gmod:SECRET@127.0.0.1/db\"",
        "database = { address = \"gmod:SECRET@127.0.0.1\", user = \"u\", password = { env = \"A\" } }",
        "command = [\"srcds\", \"+rcon_password\", \"SECRET\", 3]",
    ]);
}

#[test]
fn services_that_need_each_other_are_refused() {
    let told = error("depends_on = [\"gmod\"]");
    assert_eq!(told.at.0, 5, "{told}");
    let told = error(
        "depends_on = [\"mysql\"]\n[service.mysql]\nrole = \"database\"\ndepends_on = [\"gmod\"]",
    );
    assert!(told.to_string().contains("gmod") && told.to_string().contains("mysql"), "{told}");
}

#[test]
fn a_megabyte_in_one_line_is_cut() {
    let told = read(&format!("{STACK}a = {}", "[".repeat(1_000_000))).unwrap_err().to_string();
    assert!(told.len() < 2_000, "{} bytes", told.len());
}

#[test]
fn a_wrong_severity_says_which_there_are() {
    for wrong in ["\"P9\"", "{ probability = \"often\", impact = \"high\" }"] {
        let text = error(&format!("[severity]\ncpu = {wrong}")).to_string();
        assert!(!text.contains("untagged"), "{text}");
    }
    let text = error("env = { PORT = 27015 }").to_string();
    assert!(!text.contains("untagged"), "{text}");
    let config = read(&format!("{STACK}{GAME}[severity]\ncpu = \"P2\"\n")).unwrap();
    assert!(config.stack.settings.severities.values().eq([&Severity::P2]));
}

#[test]
fn lengths_of_time_that_cannot_be_are_refused() {
    for probe in ["every = \"0s\"", "timeout = \"0s\""] {
        let lines = format!("a2s = {{ address = \"a:1\", {probe} }}");
        assert!(read(&format!("{STACK}{GAME}{lines}")).is_err(), "{lines}");
    }
    for lines in ["a2s = { address = \":27015\" }", "limits = { memory_pct = nan }"] {
        assert!(read(&format!("{STACK}{GAME}{lines}")).is_err(), "{lines}");
    }
}

/// Something like TOML: what configurations are made of, in any order, with junk.
fn like_toml() -> impl Strategy<Value = String> {
    let words = [
        "[stack]",
        "[service.gmod]",
        "[service.",
        "[[maintenance]]",
        "[severity]",
        "name",
        "role",
        "a2s",
        "rcon",
        "password",
        "address",
        "env",
        "memory",
        "boot_grace",
        "depends_on",
        "cron",
        "disks",
        " = ",
        "=",
        "\n",
        "\n",
        "{ ",
        " }",
        "[",
        "]",
        ", ",
        ".",
        "\"",
        "'",
        "\"\"\"",
        "#",
        "\"game\"",
        "\"5s\"",
        "\"127.0.0.1:1\"",
        "nan",
        "-1",
        "1e999",
        "0x",
        "1979-05-27",
        "é",
        "\u{1f480}",
        "\r\n",
        "\\u0000",
        "\u{0}",
        "\u{202e}",
    ];
    let word = prop_oneof![
        8 => prop::sample::select(words.to_vec()).prop_map(String::from),
        1 => any::<String>(),
    ];
    prop::collection::vec(word, 0..60).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn whatever_the_text_it_is_read_or_refused(text in like_toml(), below in any::<bool>()) {
        let whole = if below { format!("{STACK}{GAME}{text}") } else { text };
        let runbook = parse_runbook(Path::new("mine.toml"), &whole).map(|_| ());
        for result in [read(&whole).map(|_| ()), runbook] {
            let Err(error) = result else { continue };
            let shown = error.to_string();
            prop_assert!(!error.what.is_empty() && shown.contains(&error.what));
            prop_assert!(error.at.0 <= whole.matches('\n').count() + 1, "{}", shown);
        }
    }

    #[test]
    fn one_damaged_character_is_read_or_refused(at in any::<prop::sample::Index>(), other in any::<char>()) {
        for (name, text) in BUILT_IN {
            let mut characters: Vec<char> = text.chars().collect();
            let at = at.index(characters.len());
            characters[at] = other;
            let text: String = characters.into_iter().collect();
            if let Err(error) = parse_runbook(Path::new(name), &text) {
                prop_assert!(error.to_string().starts_with(name));
            }
        }
    }
}

#[test]
fn a_wrong_runbook_is_shown_at_its_place() {
    let whole = r#"# connection: `on` says what it answers
name = "mine"
title = { en = "Mine" }
on = ["down"]
verify = { within = "3m", stable = "2s" }

[[case]]
id = "A"
title = { en = "First" }
when = [{ symptom = "down" }]

[[case]]
id = "B"
title = { en = "Second" }
when = ["always"]
verify = { within = "3m", stable = "30s" }
"#;
    assert!(parse_runbook(Path::new("mine.toml"), whole).is_ok());
    let wrong = [
        ("name = \"mine\"", "name = \"other\""),
        ("on = [\"down\"]", "on = []"),
        ("id = \"B\"", "id=\"A\""),
        ("when = [\"always\"]", "when = []"),
        ("{ symptom = \"down\" }", "{ symptom = \"dwon\" }"),
        ("{ symptom = \"down\" }", "{ symptom = \"everything\" }"),
        ("stable = \"30s\"", "stable = \"30m\""),
        ("id = \"B\"", "idd = \"B\""),
        ("when = [\"always\"]", "when = [{ exit_code = [\"x\"] }]"),
    ];
    let shown: Vec<_> = wrong
        .iter()
        .map(|(right, wrong)| {
            let text = whole.replacen(right, wrong, 1);
            assert_ne!(text, whole, "{right}");
            parse_runbook(Path::new("mine.toml"), &text).unwrap_err().to_string()
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n\n"));
}

#[test]
fn more_than_is_remembered_cannot_be_asked_for() {
    let told = error("limits = { exits = 65 }");
    assert_told(&told, (5, 12), &["`exits` is at most 64"]);
    let told = error("[budget]\nrestarts = 65");
    assert_told(&told, (6, 1), &["`restarts` is at most 64"]);
    assert!(read(&format!("{STACK}{GAME}[budget]\nrestarts = 64\n")).is_ok());
}

#[test]
fn channels_and_levels_that_make_no_sense_are_refused() {
    let discord = "[notify.discord]\nurl = { env = \"U\" }\n";
    let whole = |rest: &str| format!("{STACK}{GAME}{discord}{rest}");
    assert!(read(&whole("[[escalation]]\nnotify = [\"discord\"]\n")).is_ok());
    for (rest, told) in [
        ("[[escalation]]\nnotify = [\"nope\"]\n", "unknown channel `nope`"),
        ("[[escalation]]\nnotify = []\n", "a level tells at least one channel"),
        ("[[escalation]]\nnotify = [\"discord\"]\nrepeat = \"0s\"\n", "`repeat` is too short"),
        (
            "[notify.webhook]\nname = \"discord\"\nurl = { env = \"W\" }\n",
            "two channels are called",
        ),
        ("[notify.webhook]\nquiet = \"late\"\nurl = { env = \"W\" }\n", "23:00-08:00"),
        (
            "[notify.webhook]\nservices = [\"nope\"]\nurl = { env = \"W\" }\n",
            "unknown service `nope`",
        ),
        (
            "[notify.webhook]\nurl = \"https://a.example/s3cret-token\"\n",
            "a secret is never written here",
        ),
    ] {
        let error = read(&whole(rest)).unwrap_err().to_string();
        assert!(error.contains(told), "{rest}: {error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}

#[test]
fn an_approval_that_makes_no_sense_is_refused() {
    let runbook = |lines: &str| {
        let text = format!(
            "name = \"mine\"\ntitle = {{ en = \"Mine\" }}\non = [\"down\"]\n[[case]]\nid = \"A\"\n\
             title = {{ en = \"First\" }}\nwhen = [\"always\"]\n{lines}\n"
        );
        parse_runbook(Path::new("nowhere/mine.toml"), &text)
    };
    let steps = "steps = [{ up = {} }]\nrisk = \"high\"\n";
    let good = runbook(&format!("{steps}approve_timeout = \"10m\"\napprove_default = \"approve\""));
    let case = good.unwrap().cases.remove(0);
    assert_eq!(case.approve_timeout, Some(std::time::Duration::from_secs(600)));
    assert_eq!(case.approve_default, vigie_core::respond::Silence::Approve);
    // The whole stack's down and up asks by itself.
    assert!(runbook("steps = [\"down_up\"]\napprove_timeout = \"1h\"").is_ok());
    let up = "steps = [{ up = {} }]\n";
    for (lines, line, parts) in [
        (
            format!("{up}approve_timeout = \"10m\""),
            9,
            ["does not ask before it acts", "risk = \"high\""],
        ),
        (format!("{up}approve_default = \"refuse\""), 9, ["does not ask before it acts", "`A`"]),
        (
            String::from("risk = \"high\"\napprove_default = \"approve\""),
            9,
            ["changes nothing", "out"],
        ),
        (
            format!("{steps}approve_timeout = \"0s\""),
            10,
            ["nobody can answer in no time", "\"10m\""],
        ),
        (
            format!("{steps}approve_default = \"aprove\""),
            10,
            ["unknown", "did you mean `approve`?"],
        ),
    ] {
        let error = runbook(&lines).unwrap_err();
        let text = error.to_string();
        assert_eq!(error.at, (line, 19), "{text}");
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    }
}
