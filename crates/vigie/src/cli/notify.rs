//! Does: `vigie notify …`: the channels, and a message to try one.

use std::path::Path;

use vigie_core::Moment;
use vigie_core::incident::Severity;
use vigie_core::notify::{Channel, Notice, NoticeId, Occasion, Outcome, Quiet};
use vigie_core::stack::Targets;

use super::args::NotifyCommand;
use super::{Exit, Failure, Paint, table};
use crate::clock::Clock;
use crate::config::{ChannelConfig, Config, Lang};
use crate::notify::{About, Http, Letter, Message, client, kind};

pub(super) async fn run(path: &Path, command: NotifyCommand) -> Result<Exit, Failure> {
    let config = Config::read(path)?;
    match command {
        NotifyCommand::List { json } => list(&config, json),
        NotifyCommand::Test { channel, dry_run } => {
            test(&config, channel.as_deref(), dry_run).await
        }
    }
}

fn none(config: &Config) -> Failure {
    let text = format!(
        "{} has no [notify.…]; docs/guide/notify.md shows how to set one up",
        config.path.display()
    );
    Failure::say(Exit::Usage, text)
}

fn list(config: &Config, json: bool) -> Result<Exit, Failure> {
    let stack = config.file.stack.lang;
    let channels: Vec<_> = config
        .channels()
        .into_iter()
        .map(|(name, one)| {
            (kind(&one).word(), crate::config::channel(&name, &one, stack, Vec::new()))
        })
        .collect();
    if json {
        let rows: Vec<_> =
            channels.iter().map(|(kind, (channel, lang))| shape(kind, channel, *lang)).collect();
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(Exit::Fine);
    }
    if channels.is_empty() {
        return Err(none(config));
    }
    let rows: Vec<_> = channels
        .iter()
        .map(|(kind, (channel, lang))| {
            let all = || String::from("all");
            let services = channel.services.join(" ");
            vec![
                channel.name.clone(),
                (*kind).to_owned(),
                format!("{} and worse", channel.min_severity.word()),
                Some(services).filter(|text| !text.is_empty()).unwrap_or_else(all),
                if channel.on_call { "when nobody answers" } else { "at once" }.to_owned(),
                channel.quiet.map_or_else(|| String::from("-"), hours),
                word(*lang).to_owned(),
            ]
        })
        .collect();
    table::print(&["CHANNEL", "KIND", "TOLD OF", "SERVICES", "WHEN", "QUIET", "LANG"], &rows);
    Ok(Exit::Fine)
}

fn shape(kind: &str, channel: &Channel, lang: Lang) -> serde_json::Value {
    serde_json::json!({
        "name": channel.name,
        "kind": kind,
        "min_severity": channel.min_severity.word(),
        "services": channel.services,
        "on_call": channel.on_call,
        "quiet": channel.quiet.map(hours),
        "lang": word(lang),
    })
}

/// Quiet hours as the configuration has them.
fn hours(quiet: Quiet) -> String {
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    format!("{}-{}", clock(quiet.from), clock(quiet.to))
}

const fn word(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "en",
        Lang::Fr => "fr",
    }
}

async fn test(config: &Config, only: Option<&str>, dry_run: bool) -> Result<Exit, Failure> {
    let mut channels = config.channels();
    if channels.is_empty() {
        return Err(none(config));
    }
    if let Some(only) = only {
        let known: Vec<_> = channels.iter().map(|(name, _)| name.clone()).collect();
        channels.retain(|(name, _)| name == only);
        if channels.is_empty() {
            let text = format!("there is no channel `{only}`; there are: {}", known.join(", "));
            return Err(Failure::say(Exit::Usage, text));
        }
    }
    let http = Http::new().map_err(|error| Failure::new(Exit::Finding, error))?;
    let paint = Paint::for_stdout();
    let mut exit = Exit::Fine;
    for (name, channel) in &channels {
        if dry_run {
            println!("would send a test message to {name} ({})", kind(channel).word());
            continue;
        }
        let said = match client(config, channel, &http) {
            Ok((sender, _)) => verdict(sender.send(&letter(config, name, channel)).await),
            Err(error) => Err(error.to_string()),
        };
        match said {
            Ok(said) => println!("{} {name}: {said}", paint.good("ok")),
            Err(why) => {
                println!("{} {name}: {why}", paint.bad("failed"));
                exit = Exit::Finding;
            }
        }
    }
    Ok(exit)
}

/// A message of no consequence.
fn letter(config: &Config, name: &str, channel: &ChannelConfig) -> Letter {
    let stack = config.file.stack.lang;
    let (_, lang) = crate::config::channel(name, channel, stack, Vec::new());
    let now = Clock::after(Moment::default()).now();
    let text = match lang {
        Lang::En => "this is a test: messages arrive here",
        Lang::Fr => "ceci est un essai : les messages arrivent ici",
    };
    let notice = Notice {
        // Its own every time: mail providers drop a message that they have seen.
        id: NoticeId(now.wall.unsigned_abs()),
        channel: name.to_owned(),
        incident: None,
        occasion: Occasion::Said { text: text.to_owned() },
        severity: Severity::P4,
        at: now,
    };
    let about = About {
        stack: &config.stack.name,
        targets: &Targets::default(),
        notice: &notice,
        row: None,
        seen_before: None,
        now,
        lang,
    };
    Letter { message: Message::of(&about), card: None, incident: None, notice }
}

/// What the other side answered.
fn verdict(outcome: Outcome) -> Result<String, String> {
    match outcome {
        Outcome::Delivered { message: Some(id) } => Ok(format!("it took the message as {id}")),
        Outcome::Delivered { message: None } => Ok(String::from("it took the message")),
        Outcome::Later { after: Some(after), why } => {
            Err(format!("not now, in {} s: {why}", after.as_secs_f64().ceil()))
        }
        Outcome::Later { after: None, why } => Err(format!("not now: {why}")),
        Outcome::Rejected { why } | Outcome::Stopped { why } => Err(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_shape() {
        let text = "[stack]\nname = \"x\"\n[service.gmod]\nrole = \"game\"\n\
            [notify.discord]\nurl = { env = \"X\" }\nquiet = \"23:00-08:05\"\nlang = \"fr\"\n";
        let config = Config::parse(Path::new("nowhere/vigie.toml"), text).unwrap();
        let (name, one) = config.channels().remove(0);
        let (channel, lang) = crate::config::channel(&name, &one, Lang::En, Vec::new());
        insta::assert_json_snapshot!(shape(kind(&one).word(), &channel, lang));
    }
}
