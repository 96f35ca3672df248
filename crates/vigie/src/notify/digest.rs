//! Does: puts several incidents into one message, a line each, as they are when it is sent.

use vigie_core::incident::{IncidentId, Severity};

use super::message::{Words, look};
use super::{About, Fact, Message, Value};
use crate::report::Lang;
use crate::store::IncidentRow;
use crate::text::cut;

/// So that all lines of a digest fit into a message of every channel, whatever has to be escaped.
const LINE: usize = 110;

/// The words for `incidents`; of one that is not remembered any more there is no row.
pub(crate) fn digest(
    about: &About<'_>,
    incidents: &[IncidentId],
    rows: &[Option<IncidentRow>],
) -> Message {
    let words = Words(about.lang);
    let is_over = |row: &&IncidentRow| !row.incident.state.is_active();
    let known = || rows.iter().flatten();
    let (count, over) = (incidents.len(), known().filter(is_over).count());
    let title = match (about.lang, over) {
        (Lang::En, 0) => format!("{count} incidents"),
        (Lang::En, over) => format!("{count} incidents, {over} of them over"),
        (Lang::Fr, 0) => format!("{count} incidents"),
        (Lang::Fr, 1) => format!("{count} incidents, dont 1 terminé"),
        (Lang::Fr, over) => format!("{count} incidents, dont {over} terminés"),
    };
    let active = known().filter(|row| !is_over(row)).map(|row| row.incident.severity).min();
    let (colour, sign) = look(active.unwrap_or(Severity::P4), active.is_none());
    let line = |(id, row): (&IncidentId, &Option<IncidentRow>)| match row {
        Some(row) => line(row, words),
        None => format!("{id}"),
    };
    let fact = Fact {
        name: words.pick("All of it", "Tout voir"),
        value: Value::Command(String::from("vigie incident list")),
    };
    Message {
        colour,
        sign,
        head: words.pick("several incidents", "plusieurs incidents"),
        facts: vec![fact],
        steps: incidents.iter().zip(rows).map(line).collect(),
        news: Some(format!("{sign} {}{}{title}", about.stack, words.pick(": ", " : "))),
        choices: Vec::new(),
        footer: about.stack.to_owned(),
        title,
    }
}

/// The state stands before the title, which may be cut.
fn line(row: &IncidentRow, words: Words) -> String {
    let incident = &row.incident;
    let (_, sign) = look(incident.severity, !incident.state.is_active());
    let (severity, service) = (incident.severity.word(), &incident.service);
    let (state, title) = (words.state(incident.state), words.say(&incident.title));
    let colon = words.pick(": ", " : ");
    let text = format!("{sign} {} {severity} {service} · {state}{colon}{title}", incident.id);
    cut(&text, LINE)
}

#[cfg(test)]
pub(super) mod tests {
    use vigie_core::incident::{Actor, Group};
    use vigie_core::notify::{Notice, NoticeId, Occasion};
    use vigie_core::stack::Targets;
    use vigie_core::{Moment, Record, State};

    use super::*;

    /// A digest of incidents with these titles, every second one over; of the last nothing is known any more.
    pub(in crate::notify) fn of(titles: &[String], lang: Lang) -> Message {
        let mut records = Vec::new();
        let ids: Vec<_> = (1..=titles.len() as u64 + 1).map(IncidentId).collect();
        for (id, title) in ids.iter().zip(titles) {
            let (incident, service, group) = (*id, String::from("gmod"), Group::Performance);
            let (severity, title) = (Severity::P3, title.clone());
            let players = None;
            records.push(Record::IncidentOpened {
                incident,
                service,
                group,
                severity,
                title,
                players,
            });
            if id.0 % 2 == 0 {
                records.push(Record::Resolved { incident, by: Actor::Vigie });
            }
        }
        let now = Moment::from_ms(1_764_000_000_000);
        let state = State::replay(records.into_iter().map(|record| (now, record)));
        let row = |id: &IncidentId| {
            let incident = state.incidents.get(id)?.clone();
            Some(IncidentRow { incident, runs: Vec::new() })
        };
        let rows: Vec<_> = ids.iter().map(row).collect();
        let notice = Notice {
            id: NoticeId(9),
            channel: String::from("staff"),
            incident: None,
            occasion: Occasion::Digest { incidents: ids.clone() },
            severity: Severity::P3,
            at: now,
        };
        let (stack, targets) = ("DarkRP", &Targets::default());
        let (row, seen_before) = (None, None);
        digest(&About { stack, targets, notice: &notice, row, seen_before, now, lang }, &ids, &rows)
    }

    #[test]
    fn a_digest_says_of_each_how_it_is() {
        let titles: Vec<_> =
            (1..=6).map(|n| format!("gmod uses {n} % of its memory limit")).collect();
        let show = |lang| {
            let message = of(&titles, lang);
            format!("{}\n{}\n{}\n", message.news.unwrap(), message.head, message.steps.join("\n"))
        };
        insta::assert_snapshot!(format!("{}\n{}", show(Lang::En), show(Lang::Fr)));
    }

    #[test]
    fn when_all_of_it_is_over_it_is_green() {
        let message = of(&[String::from("x"), String::from("y")], Lang::En);
        assert_eq!((message.sign, message.title.as_str()), ("🟡", "3 incidents, 1 of them over"));
        let message = of(&[], Lang::En);
        assert_eq!(message.steps, ["#1"]);
    }
}
