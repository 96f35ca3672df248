//! What vigie was told, counted with the excuses that it has: the proofs as the invariants see them.

use vigie_core::event::Event;
use vigie_core::observe::{Fact, Health, RuntimeEvent, RuntimeState};

use crate::invariants::Delivered;
use crate::world::{DATABASE, GAME, World};

impl World {
    /// Keeps what the engine could know, as the invariants see it.
    pub(crate) fn deliver(&mut self, event: &Event) {
        let Event::Observed(observation) = event else { return };
        if observation.service.0 > 2 {
            return;
        }
        let steady = self.steady;
        let blind = self.network_down;
        let changing = observation.service.0 == GAME && steady < self.map_change_until;
        let grace = if observation.service.0 == DATABASE { 60_000 } else { 180_000 };
        let seen = self.delivered.entry(Self::name(observation.service.0).to_owned()).or_default();
        let failed = |fact: &Fact| match fact {
            Fact::A2s(result) => Some(result.is_err()),
            Fact::Rcon(result) | Fact::Tcp(result) => Some(result.is_err()),
            Fact::Database(result) => Some(result.is_err()),
            _ => None,
        };
        if let Some(failed) = failed(&observation.fact) {
            let boots = !seen.ready && steady - seen.started < grace;
            let count = match &observation.fact {
                Fact::A2s(_) => &mut seen.a2s_failures,
                Fact::Rcon(_) => &mut seen.rcon_failures,
                Fact::Database(_) => &mut seen.database_failures,
                _ => &mut seen.tcp_failures,
            };
            *count = if failed { *count + 1 } else { 0 };
            let players = match &observation.fact {
                Fact::A2s(_) | Fact::Database(_) => true,
                Fact::Tcp(_) => observation.service.0 == 2,
                _ => false,
            };
            if players {
                seen.answers = !failed;
                seen.ready |= !failed;
            }
            // The same excuses as the engine's: such a silence proves nothing.
            if failed && (blind || boots || changing) {
                seen.a2s_failures = 0;
                seen.rcon_failures = 0;
                seen.database_failures = 0;
                seen.tcp_failures = 0;
            }
            return;
        }
        match &observation.fact {
            Fact::Inspected(look) => {
                let began = observation.at.steady
                    - i64::try_from(look.up_for.unwrap_or_default().as_millis()).unwrap_or(0);
                let runs = look.state == RuntimeState::Running;
                let first = seen.started == 0;
                if runs && first {
                    // The first sight of it; the engine may have had it with a run's evidence.
                    seen.started = began;
                } else if runs && (!seen.running || began > seen.started + 2_000) {
                    *seen = Delivered { running: true, started: began, ..Delivered::default() };
                }
                seen.running = runs;
                seen.unhealthy = look.health == Health::Unhealthy;
            }
            Fact::Runtime(RuntimeEvent::Health(health)) => {
                seen.unhealthy = *health == Health::Unhealthy;
            }
            Fact::Runtime(RuntimeEvent::Started) if observation.at.steady >= seen.started => {
                let started = observation.at.steady;
                *seen = Delivered { running: true, started, ..Delivered::default() };
            }
            Fact::Runtime(RuntimeEvent::Died { .. }) if observation.at.steady >= seen.started => {
                seen.running = false;
                seen.answers = false;
            }
            _ => {}
        }
    }
}
