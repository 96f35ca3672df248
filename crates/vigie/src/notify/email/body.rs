//! Does: the words of a mail: a subject in one line, plain text, and simple HTML that needs nothing from
//! outside.

use vigie_core::notify::Occasion;

use super::super::cut::line;
use super::super::{Letter, Reader, Value, plain};
use crate::text::cut;

/// Longer ones are cut by mail programs anyway.
const SUBJECT: usize = 200;

/// The same for all mails of an incident, or they would not form a thread everywhere.
pub(super) fn subject(letter: &Letter) -> String {
    let (severity, service) = match &letter.incident {
        Some(incident) => (incident.severity, line(&incident.service)),
        None => (letter.notice.severity.word(), String::from("vigie")),
    };
    let again = if letter.card.is_some() { "Re: " } else { "" };
    let title = line(&letter.message.title);
    cut(&format!("{again}[{severity}] {service}: {title}"), SUBJECT)
}

/// The opening is told by the message itself.
fn news(letter: &Letter) -> Option<String> {
    let told = matches!(
        letter.notice.occasion,
        Occasion::Opened | Occasion::Said { .. } | Occasion::Digest { .. }
    );
    letter.message.news.as_deref().filter(|_| !told).map(plain::short)
}

pub(super) fn text(letter: &Letter, reader: &Reader) -> String {
    let text = plain::text(&letter.message, reader);
    match news(letter) {
        Some(news) => format!("{news}\n\n{text}"),
        None => text,
    }
}

pub(super) fn html(letter: &Letter, reader: &Reader) -> String {
    let message = &letter.message;
    let mut html = String::from("<div style=\"font-family:sans-serif\">");
    if let Some(news) = news(letter) {
        html += &format!("<p><b>{}</b></p>", escaped(&news));
    }
    html += &format!(
        "<div style=\"border-left:4px solid #{:06x};padding-left:12px\"><h3>{} {}</h3><p>{}</p>",
        message.colour,
        message.sign,
        escaped(&message.head),
        escaped(&message.title)
    );
    html += "<table>";
    for fact in message.facts.iter().take(plain::FACTS) {
        let value = escaped(&reader.value(&fact.value));
        let value = match &fact.value {
            Value::Command(_) => format!("<code>{value}</code>"),
            Value::Text(_) | Value::Time(_) => value,
        };
        let name = escaped(&fact.name);
        html += &format!(
            "<tr><td style=\"padding-right:12px;vertical-align:top\"><b>{name}</b></td>\
             <td>{value}</td></tr>"
        );
    }
    html += "</table>";
    if !message.steps.is_empty() {
        let steps = plain::steps(message, reader);
        let steps: Vec<_> = steps.iter().map(|step| escaped(step)).collect();
        html += &format!("<p>{}</p>", steps.join("<br>"));
    }
    html += &format!("<p style=\"color:#666\">{}</p></div></div>", escaped(&message.footer));
    html
}

/// Text from outside for HTML, also inside an attribute.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in plain::short(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
