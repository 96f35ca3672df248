//! Does: the life of an incident's message on a chat: one message stands for the incident and is edited
//! as it goes on; what has to ring also comes as a short message of its own.

use std::sync::{Mutex, PoisonError};

use vigie_core::notify::{NoticeId, Occasion, Outcome};

use super::Letter;
use super::outcome::Reply;

/// What a chat can do.
pub(super) trait Chat {
    /// Posts the whole message.
    async fn post(&self, letter: &Letter) -> Reply;
    /// Changes the message `card`.
    async fn edit(&self, card: &str, letter: &Letter) -> Reply;
    /// Posts what rings, in one line, next to the message `card`.
    async fn ring(&self, card: &str, letter: &Letter, news: &str) -> Reply;
}

/// The notice whose edit went through, in case what rings did not: when it comes again, another edit
/// would only use up the limits.
#[derive(Debug, Default)]
pub(super) struct Edited(Mutex<Option<NoticeId>>);

impl Edited {
    fn is(&self, notice: NoticeId) -> bool {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) == Some(notice)
    }

    fn set(&self, notice: Option<NoticeId>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = notice;
    }
}

/// Tells a chat of one notice.
pub(super) async fn tell(chat: &impl Chat, edited: &Edited, letter: &Letter) -> Outcome {
    let notice = &letter.notice;
    let (Some(card), Some(_)) = (&letter.card, notice.incident) else {
        return posted(chat, letter).await;
    };
    if !edited.is(notice.id) {
        match chat.edit(card, letter).await {
            Reply::Done(_) => edited.set(Some(notice.id)),
            Reply::Gone => return posted(chat, letter).await,
            Reply::Not(outcome) => return outcome,
        }
    }
    let rung = match rings(letter) {
        Some(news) => chat.ring(card, letter, news).await,
        None => Reply::Done(None),
    };
    match rung {
        Reply::Done(_) | Reply::Gone => {
            edited.set(None);
            Outcome::Delivered { message: None }
        }
        Reply::Not(outcome) => outcome,
    }
}

async fn posted(chat: &impl Chat, letter: &Letter) -> Outcome {
    match chat.post(letter).await {
        // What is about vigie itself stands for no incident.
        Reply::Done(message) => {
            Outcome::Delivered { message: message.filter(|_| letter.notice.incident.is_some()) }
        }
        Reply::Gone => Outcome::Rejected { why: String::from("the message cannot be posted") },
        Reply::Not(outcome) => outcome,
    }
}

/// A card that stands already has told of the opening.
fn rings(letter: &Letter) -> Option<&str> {
    let occasion = &letter.notice.occasion;
    let news = letter.message.news.as_deref();
    news.filter(|_| occasion.rings() && *occasion != Occasion::Opened)
}
