//! Does: the six scenarios: what is broken, what has to be seen, what counts as having gone as told.

use std::time::{Duration, Instant};

use tokio::sync::broadcast::Receiver;
use vigie_core::Record;
use vigie_core::incident::IncidentId;

use super::{LIMIT, Outcome, Stage, StageError};
use crate::engine::Told;
use crate::store::Register;

/// One scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// The server dies.
    Crash,
    /// It lives and is silent.
    Freeze,
    /// It dies again and again.
    CrashLoop,
    /// It eats its memory.
    MemoryLeak,
    /// Its scripts fail.
    LuaErrors,
    /// An operator stops it.
    OperatorStop,
}

/// All of them, in the order of the tour.
pub const SCENARIOS: [Scenario; 6] = [
    Scenario::Crash,
    Scenario::Freeze,
    Scenario::CrashLoop,
    Scenario::MemoryLeak,
    Scenario::LuaErrors,
    Scenario::OperatorStop,
];

impl Scenario {
    /// Its name on the command line and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Freeze => "freeze",
            Self::CrashLoop => "crash-loop",
            Self::MemoryLeak => "memory-leak",
            Self::LuaErrors => "lua-errors",
            Self::OperatorStop => "operator-stop",
        }
    }

    /// What is about to happen, for the audience.
    #[must_use]
    pub const fn story(self) -> &'static str {
        match self {
            Self::Crash => "A segmentation fault kills the server. Case A starts it again.",
            Self::Freeze => {
                "A Lua endless loop: the process lives, its port listens, nobody is answered. \
                 Only when A2S *and* RCON are silent is it killed (case E)."
            }
            Self::CrashLoop => {
                "It dies as soon as it is up, again and again. The restart budget ends the loop \
                 and hands over to a person, once; the person starts it and it is verified."
            }
            Self::MemoryLeak => "An addon leaks until the memory limit kills the server (case D).",
            Self::LuaErrors => {
                "An addon throws errors. Vigie finds the file and the line and asks a person; it \
                 touches nothing."
            }
            Self::OperatorStop => {
                "An operator stops the server on purpose. Vigie says so and leaves it alone."
            }
        }
    }

    /// The case that has to be chosen last.
    const fn expected_case(self) -> Option<&'static str> {
        match self {
            Self::Crash => Some("A"),
            // Its addon is in no repository: there is no commit to blame.
            Self::LuaErrors => Some("Z"),
            Self::Freeze => Some("E"),
            Self::CrashLoop => Some("B"),
            Self::MemoryLeak => Some("D"),
            Self::OperatorStop => None,
        }
    }

    /// Breaks the stage and sees how it goes.
    ///
    /// # Errors
    /// When the stage itself fails; a repair that fails is an outcome.
    pub async fn play(self, stage: &Stage) -> Result<Outcome, StageError> {
        let mut told = stage.app.handle().listen();
        let began = Instant::now();
        let mut seen = Seen { began, ..Seen::default() };
        match self {
            Self::Crash => drop(stage.rcon("practice crash segv").await?),
            Self::Freeze => drop(stage.rcon("practice freeze").await?),
            Self::MemoryLeak => drop(stage.rcon("practice leak 40").await?),
            Self::LuaErrors => drop(stage.rcon("practice spew lua 4 3").await?),
            Self::CrashLoop => self.keep_crashing(stage, &mut told, &mut seen).await?,
            Self::OperatorStop => {
                stage.operator_stop().await?;
                seen.watch_for(&mut told, Duration::from_secs(3), |_| false).await;
                stage.operator_start().await?;
                stage.wait_well(Duration::from_secs(15)).await?;
            }
        }
        if self != Self::OperatorStop {
            seen.watch_for(&mut told, LIMIT, |seen| seen.restored.is_some()).await;
        }
        Ok(self.judge(stage, &seen))
    }

    /// Crashes the server whenever it is up, until vigie gives up; then the "person" mends it.
    async fn keep_crashing(
        self,
        stage: &Stage,
        told: &mut Receiver<Told>,
        seen: &mut Seen,
    ) -> Result<(), StageError> {
        let until = Instant::now() + LIMIT;
        while seen.escalations == 0 && Instant::now() < until {
            // Not up yet, or dying already: try again in a moment.
            let _ = stage.rcon("practice crash lua-panic").await;
            seen.watch_for(told, Duration::from_millis(300), |seen| seen.escalations > 0).await;
        }
        // Nothing may happen behind the person's back.
        seen.watch_for(told, Duration::from_secs(2), |_| false).await;
        stage.operator_start().await
    }

    fn judge(self, stage: &Stage, seen: &Seen) -> Outcome {
        let row = Register::open(&stage.app.config().journal())
            .and_then(|register| register.get(IncidentId(1)))
            .ok()
            .flatten();
        let ms =
            |at: Option<Instant>| at.map(|at| crate::report::millis(at.duration_since(seen.began)));
        let case =
            row.as_ref().and_then(|row| row.runs.iter().rev().find_map(|run| run.case.clone()));
        let severity = row.as_ref().map(|row| row.incident.severity.word());
        // From the fault to the first good look, not to the moment when that was certain.
        let stable = row.as_ref().and_then(|row| {
            let since = row.incident.restored?.since(row.incident.detected);
            Some(ms(seen.detected)? + crate::report::millis(since))
        });
        let restored_ms = stable.or(ms(seen.restored));
        let verified = match self {
            Self::OperatorStop => row.is_none() && seen.stood_down,
            _ => seen.restored.is_some(),
        };
        let as_told = self.complaints(seen, case.as_deref(), verified);
        Outcome {
            name: self.name(),
            severity,
            case,
            detected_ms: ms(seen.detected),
            restored_ms,
            verified,
            as_told,
        }
    }

    fn complaints(self, seen: &Seen, case: Option<&str>, verified: bool) -> Result<(), String> {
        if !verified {
            return Err(String::from("it was not verified in time"));
        }
        if case != self.expected_case() {
            return Err(format!("case {case:?} was chosen, not {:?}", self.expected_case()));
        }
        match self {
            Self::CrashLoop if seen.escalations != 1 => {
                Err(format!("it was handed over {} times, not once", seen.escalations))
            }
            Self::CrashLoop if seen.restarts > 3 => Err(String::from("the budget was exceeded")),
            Self::LuaErrors if seen.restarts > 0 => Err(String::from("something was touched")),
            Self::OperatorStop if seen.restarts > 0 => {
                Err(String::from("an operator's stop was not respected"))
            }
            _ => Ok(()),
        }
    }
}

/// What was told while a scenario was played.
#[derive(Debug)]
struct Seen {
    began: Instant,
    detected: Option<Instant>,
    restored: Option<Instant>,
    escalations: u32,
    restarts: u32,
    stood_down: bool,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            detected: None,
            restored: None,
            escalations: 0,
            restarts: 0,
            stood_down: false,
        }
    }
}

impl Seen {
    async fn watch_for(
        &mut self,
        told: &mut Receiver<Told>,
        limit: Duration,
        enough: impl Fn(&Self) -> bool,
    ) {
        let end = tokio::time::Instant::now() + limit;
        while !enough(self) {
            match tokio::time::timeout_at(end, told.recv()).await {
                Ok(Ok(told)) => self.take(&told.record),
                Ok(Err(_)) | Err(_) => return,
            }
        }
    }

    fn take(&mut self, record: &Record) {
        match record {
            Record::IncidentOpened { .. } => self.detected = Some(Instant::now()),
            Record::StoodDown { .. } => {
                self.stood_down = true;
                self.detected.get_or_insert_with(Instant::now);
            }
            Record::Restored { .. } => self.restored = Some(Instant::now()),
            Record::Relapsed { .. } => self.restored = None,
            Record::Escalated { .. } => self.escalations += 1,
            Record::StepIntended { step, .. } if step.restarts() => self.restarts += 1,
            _ => {}
        }
    }
}
