//! Does: listens to the buttons below a bot's messages, by long polling, and hands on who pressed what.
//! Only users of the configured chats count; whether a press does anything is decided elsewhere.
//! <https://core.telegram.org/bots/api#getupdates>

mod answer;
mod update;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use self::answer::answer;
use self::update::{Press, Update};
use super::telegram::{Bot, Said, Seat};
use super::{Choice, Telegram};
use crate::report::{Lang, say};

/// How long the other side holds a request without news.
const HOLD: u64 = 25;
/// How long vigie waits for it to answer then.
const PATIENCE: Duration = Duration::from_secs(HOLD + 10);
/// Older presses are not obeyed: what they were about has moved on. The API does not say when a
/// button was pressed, only that it was since the last time that vigie asked.
const FRESH: Duration = Duration::from_secs(600);
/// The most updates that come at once.
const FULL: usize = 100;
/// How long the person who pressed waits for an outcome.
const OUTCOME: Duration = Duration::from_secs(10);
const BACKOFF: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_secs(60);
/// The wait when another program listens to the same bot: both asking would throw each other out.
const RIVAL: Duration = Duration::from_secs(30);

/// Somebody who may do so pressed a button.
#[derive(Debug)]
pub struct Pressed {
    /// What they chose.
    pub choice: Choice,
    /// Their id.
    pub user: i64,
    /// Their name as Telegram shows it, printable.
    pub name: String,
    /// Takes what came of it, in one line, for the person who pressed.
    pub answer: oneshot::Sender<String>,
}

/// The listener for all chats of one bot; a second one for the same bot would take its updates away.
#[derive(Debug)]
pub struct Buttons {
    bot: Bot,
    seats: Vec<Seat>,
    lang: Lang,
    offset: i64,
    asked: Option<Instant>,
    /// Chats that were told of in the log, for whoever sets up the configuration.
    seen: BTreeSet<i64>,
    /// Whether a second listener was spoken of already.
    rival: bool,
    answers: JoinSet<()>,
}

/// What to do after a request.
enum Next {
    Ask,
    Wait(Duration),
    Stop,
}

impl Buttons {
    /// For the bot of `telegram`, in the chats of `seats` (see [`Telegram::seat`]).
    #[must_use]
    pub fn new(telegram: &Telegram, seats: Vec<Seat>) -> Self {
        Self {
            bot: telegram.bot(),
            seats,
            lang: telegram.reader().lang,
            offset: 0,
            asked: None,
            seen: BTreeSet::new(),
            rival: false,
            answers: JoinSet::new(),
        }
    }

    /// Listens until `stop`, or until the bot's token is not valid any more.
    pub async fn run(mut self, presses: mpsc::Sender<Pressed>, stop: CancellationToken) {
        let mut failures = 0_u32;
        loop {
            let next = tokio::select! {
                () = stop.cancelled() => return,
                next = self.once(&presses) => next,
            };
            let wait = match next {
                Next::Ask => {
                    failures = 0;
                    continue;
                }
                Next::Wait(wait) => wait,
                Next::Stop => return,
            };
            failures = failures.saturating_add(1);
            let doubled = BACKOFF.saturating_mul(1 << failures.min(10)).min(BACKOFF_MAX);
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(wait.max(doubled)) => {}
            }
        }
    }

    async fn once(&mut self, presses: &mpsc::Sender<Pressed>) -> Next {
        while self.answers.try_join_next().is_some() {}
        let fresh = self.asked.is_some_and(|asked| asked.elapsed() < FRESH);
        // What waits from before is taken at once, so that what is pressed from now on is fresh.
        let hold = if fresh { HOLD } else { 0 };
        let body = json!({
            "offset": self.offset,
            "timeout": hold,
            "allowed_updates": ["callback_query", "message"],
        });
        let began = Instant::now();
        let said = match self.bot.call("getUpdates", &body, Some(PATIENCE)).await {
            Ok(said) => said,
            Err(why) => {
                tracing::debug!("no Telegram updates: {why}");
                return Next::Wait(BACKOFF);
            }
        };
        let Some(updates) = said.result().and_then(Json::as_array) else {
            return self.refused(&said);
        };
        // A full answer may have more behind it.
        if fresh || updates.len() < FULL {
            self.asked = Some(began);
        }
        self.rival = false;
        for update in updates {
            let Some(id) = update["update_id"].as_i64() else { continue };
            self.offset = self.offset.max(id.saturating_add(1));
            match Update::read(update) {
                Update::Press(press) => self.press(press, fresh, presses),
                Update::Message { chat, user } => self.message(chat, user),
                Update::Other => {}
            }
        }
        // A server that does not hold the request must not be asked in a circle.
        let hasty = updates.is_empty() && fresh && began.elapsed() < BACKOFF;
        if hasty { Next::Wait(BACKOFF) } else { Next::Ask }
    }

    /// Whoever sets up vigie needs the ids of a chat and its people, and finds them nowhere else.
    fn message(&mut self, chat: i64, user: i64) {
        if !self.seats.iter().any(|seat| seat.is_in(chat)) && self.seen.insert(chat) {
            tracing::info!("a Telegram message from user {user} in chat {chat}: not configured");
        }
    }

    fn press(&mut self, press: Press, fresh: bool, presses: &mpsc::Sender<Pressed>) {
        let bot = self.bot.clone();
        let (english, french) = match self.judge(&press, fresh) {
            Ok(choice) => match self.hand_on(&press, choice, presses) {
                Ok(outcome) => {
                    let late = self.pick("no answer yet", "pas encore de réponse");
                    let lang = self.lang;
                    self.answers.spawn(async move {
                        let text = timeout(OUTCOME, outcome).await;
                        let text = text.ok().and_then(Result::ok).unwrap_or(late);
                        let text = say(&text, lang);
                        answer(&bot, &press.id, &text).await;
                    });
                    return;
                }
                Err(words) => words,
            },
            Err(words) => words,
        };
        let text = self.pick(english, french);
        self.answers.spawn(async move { answer(&bot, &press.id, &text).await });
    }

    fn judge(&self, press: &Press, fresh: bool) -> Result<Choice, (&'static str, &'static str)> {
        if !self.seats.iter().any(|seat| seat.may_press(press.chat, press.user)) {
            tracing::warn!(
                "{} (user {}) pressed a button in chat {} and may not: add the id to users to allow it",
                press.name,
                press.user,
                press.chat
            );
            return Err(("not you", "pas vous"));
        }
        let Some(choice) = press.choice else {
            return Err(("vigie does not know this button", "vigie ne connaît pas ce bouton"));
        };
        if !fresh {
            tracing::info!("{} pressed a button while vigie was away: not done", press.name);
            return Err((
                "vigie was away when you pressed; press again",
                "vigie était absente quand vous avez appuyé ; appuyez à nouveau",
            ));
        }
        Ok(choice)
    }

    fn hand_on(
        &self,
        press: &Press,
        choice: Choice,
        presses: &mpsc::Sender<Pressed>,
    ) -> Result<oneshot::Receiver<String>, (&'static str, &'static str)> {
        let (answer, outcome) = oneshot::channel();
        let pressed = Pressed { choice, user: press.user, name: press.name.clone(), answer };
        let handed = presses.try_send(pressed);
        handed
            .map_err(|_| ("vigie is busy; press again", "vigie est occupée ; appuyez à nouveau"))?;
        Ok(outcome)
    }

    fn refused(&mut self, said: &Said) -> Next {
        match said.status() {
            401 | 404 => {
                tracing::error!("the Telegram token is not valid ({}): no buttons", said.words());
                Next::Stop
            }
            409 => {
                if !self.rival {
                    tracing::warn!(
                        "another program listens to this Telegram bot ({}): \
                         its buttons do not work here",
                        said.words()
                    );
                }
                self.rival = true;
                Next::Wait(RIVAL)
            }
            _ => Next::Wait(said.wait().unwrap_or(BACKOFF)),
        }
    }

    fn pick(&self, english: &str, french: &str) -> String {
        match self.lang {
            Lang::En => english.to_owned(),
            Lang::Fr => french.to_owned(),
        }
    }
}
