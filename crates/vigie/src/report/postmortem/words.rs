//! Does: the sentences of a post-mortem in both languages.

use std::time::Duration;

use vigie_core::incident::Actor;
use vigie_core::learn::postmortem::{Length, Lesson, Proposal};
use vigie_core::respond::{Ending, StepResult};

use super::{Lang, ago, say};

/// Who did something; vigie's own names are the same in both languages.
pub(super) fn who(by: &Actor, lang: Lang) -> String {
    match (by, lang) {
        (Actor::Runbook(name), Lang::Fr) => format!("procédure {name}"),
        (by, _) => by.to_string(),
    }
}

/// A length of time between two bounds.
fn between((least, most): Length) -> String {
    let (least, most) = (ago(least), ago(most));
    if least == most { least } else { format!("{least} – {most}") }
}

/// A step that is still under way.
pub(super) const fn running(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "not finished",
        Lang::Fr => "pas terminée",
    }
}

/// How a step went.
pub(super) fn result(result: &StepResult, lang: Lang) -> String {
    let how = match lang {
        Lang::En => result.word().replace('_', " "),
        Lang::Fr => match result {
            StepResult::Done => String::from("faite"),
            StepResult::Failed(_) => String::from("échouée"),
            StepResult::TimedOut => String::from("pas finie à temps"),
            StepResult::Unknown => String::from("de fin inconnue"),
            StepResult::Refused(_) => String::from("refusée"),
        },
    };
    match result {
        StepResult::Failed(why) | StepResult::Refused(why) => format!("{how}: {}", say(why, lang)),
        _ => how,
    }
}

/// How a run ended.
pub(super) const fn ending(ending: Ending, lang: Lang) -> &'static str {
    match (ending, lang) {
        (Ending::Verified, Lang::En) => "verified",
        (Ending::Verified, Lang::Fr) => "vérifié",
        (Ending::Failed, Lang::En) => "it did not help",
        (Ending::Failed, Lang::Fr) => "sans effet",
        (Ending::NoCase, Lang::En) => "no case matched",
        (Ending::NoCase, Lang::Fr) => "aucun cas ne convenait",
        (Ending::Escalated, Lang::En) => "handed to a person",
        (Ending::Escalated, Lang::Fr) => "remis à une personne",
        (Ending::Refused, Lang::En) => "refused",
        (Ending::Refused, Lang::Fr) => "refusé",
        (Ending::Observed, Lang::En) => "only observed",
        (Ending::Observed, Lang::Fr) => "observé seulement",
        (Ending::Cancelled, Lang::En) => "cancelled",
        (Ending::Cancelled, Lang::Fr) => "annulé",
        (Ending::RefusedByGuard, Lang::En) => "refused by the guard",
        (Ending::RefusedByGuard, Lang::Fr) => "refusé par la garde",
    }
}

/// What there is to learn.
pub(super) fn lesson(lesson: &Lesson, lang: Lang) -> String {
    match lang {
        Lang::En => english(lesson),
        Lang::Fr => french(lesson),
    }
}

fn english(lesson: &Lesson) -> String {
    match lesson {
        Lesson::SeenFast((_, Duration::ZERO)) => String::from("It was seen at once."),
        Lesson::SeenFast(took) => format!("It was seen within {}.", between(*took)),
        Lesson::InHand { runbook, after } => {
            format!("The runbook {runbook} had it in hand {} after it was seen.", ago(*after))
        }
        Lesson::HelpedAtOnce { runbook, case } => {
            format!("The first case that was tried helped: {case} of {runbook}.")
        }
        Lesson::Proved { view } => {
            format!("The repair was proved from the player's side: {view}.")
        }
        Lesson::Told { channel, after } => {
            format!("People were told on {channel} {} after it was seen.", ago(*after))
        }
        Lesson::SeenLate(took) => format!("It was seen only after {}.", between(*took)),
        Lesson::SeenByAPerson => String::from("No detector saw it; a person reported it."),
        Lesson::NobodyInTime => String::from("Nobody had it in hand in time."),
        Lesson::CaseFailed { runbook, case, times } => {
            format!("Case {case} of {runbook} was tried and did not help ({}).", count(*times))
        }
        Lesson::NoCase { runbook } => format!("No case of {runbook} matched."),
        Lesson::RefusedByGuard { runbook } => {
            format!("A guard refused a step of {runbook}: it could have made it worse.")
        }
        Lesson::CameBack { times } => {
            format!("It came back after it was restored ({}).", count(*times))
        }
        Lesson::HandedOver { why } => format!("A person had to take over: {why}."),
        Lesson::NotCollected { what } => format!("Evidence was missing: {what}."),
        Lesson::ChannelRefused { channel } => {
            format!("The channel {channel} refused what it was told.")
        }
        Lesson::NobodyOnline => String::from("Nobody was playing when it began."),
        Lesson::WentByItself => String::from("It went away without a repair that was proved."),
    }
}

fn count(times: u32) -> String {
    if times == 1 { String::from("once") } else { format!("{times} times") }
}

fn french(lesson: &Lesson) -> String {
    match lesson {
        Lesson::SeenFast((_, Duration::ZERO)) => String::from("Détecté aussitôt."),
        Lesson::SeenFast(took) => format!("Détecté en {}.", between(*took)),
        Lesson::InHand { runbook, after } => {
            format!("La procédure {runbook} l'a pris en charge {} après la détection.", ago(*after))
        }
        Lesson::HelpedAtOnce { runbook, case } => {
            format!("Le premier cas essayé a suffi : {case} de {runbook}.")
        }
        Lesson::Proved { view } => {
            let view = say(view, Lang::Fr);
            format!("La réparation a été prouvée du point de vue du joueur : {view}.")
        }
        Lesson::Told { channel, after } => {
            format!("Prévenu sur {channel} {} après la détection.", ago(*after))
        }
        Lesson::SeenLate(took) => format!("Détecté seulement après {}.", between(*took)),
        Lesson::SeenByAPerson => {
            String::from("Aucun détecteur ne l'a vu ; une personne l'a signalé.")
        }
        Lesson::NobodyInTime => String::from("Personne ne l'a pris en charge à temps."),
        Lesson::CaseFailed { runbook, case, times } => {
            format!("Le cas {case} de {runbook} a été essayé sans effet ({times} fois).")
        }
        Lesson::NoCase { runbook } => format!("Aucun cas de {runbook} ne convenait."),
        Lesson::RefusedByGuard { runbook } => {
            format!(
                "La garde a refusé une étape de {runbook} : elle pouvait aggraver la situation."
            )
        }
        Lesson::CameBack { times } => format!("Rechute après le rétablissement ({times} fois)."),
        Lesson::HandedOver { why } => {
            format!("Une personne a dû prendre le relais : {}.", say(why, Lang::Fr))
        }
        Lesson::NotCollected { what } => {
            format!("Une preuve manquait : {}.", say(what, Lang::Fr))
        }
        Lesson::ChannelRefused { channel } => {
            format!("Le canal {channel} a refusé ce qui lui était envoyé.")
        }
        Lesson::NobodyOnline => String::from("Personne ne jouait quand cela a commencé."),
        Lesson::WentByItself => String::from("C'est passé sans réparation prouvée."),
    }
}

/// What should be done.
pub(super) fn proposal(proposal: &Proposal, lang: Lang) -> String {
    let french = lang == Lang::Fr;
    let pick = |en: String, fr: String| if french { fr } else { en };
    match proposal {
        Proposal::FindCause => pick(
            String::from("Find the cause behind what vigie saw, and make it impossible or visible"),
            String::from(
                "Trouver la cause derrière ce que vigie a vu, et la rendre impossible ou visible",
            ),
        ),
        Proposal::MendLua { file, line, message } => pick(
            format!("Mend {file}:{line}: {message}"),
            format!("Corriger {file}:{line} : {message}"),
        ),
        Proposal::GiveMemory { service } => pick(
            format!("Raise the memory limit of {service}, or find what eats its memory"),
            format!("Relever la limite de mémoire de {service}, ou trouver ce qui la consomme"),
        ),
        Proposal::LookAtCommit { hash, subject } => pick(
            format!("See whether the last commit before it is the trigger: {hash} {subject}"),
            format!(
                "Voir si le dernier commit avant l'incident en est le déclencheur : {hash} {subject}"
            ),
        ),
        Proposal::MendCase { runbook, case } => pick(
            format!("Find out why case {case} of {runbook} did not help, and correct it"),
            format!(
                "Comprendre pourquoi le cas {case} de {runbook} n'a rien changé, et le corriger"
            ),
        ),
        Proposal::WriteCase { runbook } => pick(
            format!("Write a case for it in {runbook}"),
            format!("Écrire un cas pour cela dans {runbook}"),
        ),
        Proposal::ReachSomebody => pick(
            String::from("See to it that somebody can be reached in time ([[escalation]])"),
            String::from("Faire en sorte que quelqu'un soit joignable à temps ([[escalation]])"),
        ),
        Proposal::LetItBeSeen => pick(
            String::from("Let vigie see it sooner: which probe or limit would have shown it?"),
            String::from(
                "Que vigie le voie plus tôt : quelle sonde ou quel seuil l'aurait montré ?",
            ),
        ),
        Proposal::MendChannel { channel } => pick(
            format!("Mend the channel {channel}: vigie notify test {channel}"),
            format!("Réparer le canal {channel} : vigie notify test {channel}"),
        ),
        Proposal::MakeAvailable { what } => pick(
            format!("Make this evidence available: {what}"),
            format!("Rendre cette preuve disponible : {}", say(what, lang)),
        ),
    }
}
