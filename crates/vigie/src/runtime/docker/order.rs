//! Decides in which order the engine's news are told: a death before the stop that was its reason.
//! The engine writes the two down side by side, and now and then the other way round.

use std::collections::{HashSet, VecDeque};

use vigie_core::observe::RuntimeEvent;

use crate::runtime::News;

/// News on their way.
#[derive(Debug, Default)]
pub(super) struct Order {
    // Services whose process is known to be dead.
    dead: HashSet<String>,
    // Services whose stop waits for the death.
    waiting: HashSet<String>,
    queue: VecDeque<News>,
}

impl Order {
    /// Takes the engine's next news.
    pub(super) fn take(&mut self, news: News) {
        let service = news.service.as_str();
        match news.event {
            RuntimeEvent::Started => {
                self.dead.remove(service);
                self.waiting.remove(service);
            }
            RuntimeEvent::Died { .. } => {
                self.dead.insert(service.to_owned());
                if self.waiting.remove(service) {
                    return self.before_its_stop(news);
                }
            }
            RuntimeEvent::Stopped if !self.dead.contains(service) => {
                self.waiting.insert(service.to_owned());
            }
            _ => {}
        }
        self.queue.push_back(news);
    }

    fn before_its_stop(&mut self, death: News) {
        let is_stop =
            |one: &News| one.service == death.service && one.event == RuntimeEvent::Stopped;
        let stop = self.queue.iter().rposition(is_stop).and_then(|at| self.queue.remove(at));
        // Times never go back, or "everything since" would repeat or miss something.
        let stop = stop.map(|stop| News { wall_ms: death.wall_ms, ..stop });
        self.queue.push_back(death);
        self.queue.extend(stop);
    }

    /// What may be told now. Everything behind a waiting stop waits too.
    pub(super) fn next(&mut self) -> Option<News> {
        if self.waits() { None } else { self.queue.pop_front() }
    }

    /// Whether a stop waits for its death.
    pub(super) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The death has been told long ago, or never comes.
    pub(super) fn wait_no_longer(&mut self) {
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIED: RuntimeEvent = RuntimeEvent::Died { exit_code: Some(0) };

    fn told(order: &mut Order) -> Vec<(String, RuntimeEvent, i64)> {
        std::iter::from_fn(|| order.next())
            .map(|news| (news.service, news.event, news.wall_ms))
            .collect()
    }

    fn take(order: &mut Order, service: &str, wall_ms: i64, event: RuntimeEvent) {
        order.take(News { service: service.to_owned(), wall_ms, event });
    }

    #[test]
    fn a_stop_waits_for_its_death() {
        let mut order = Order::default();
        take(&mut order, "gmod", 1, RuntimeEvent::Killed { signal: 15 });
        take(&mut order, "gmod", 2, RuntimeEvent::Stopped);
        take(&mut order, "mysql", 3, RuntimeEvent::Started);
        assert_eq!(told(&mut order), []);
        take(&mut order, "gmod", 4, DIED);
        let wanted = [
            ("gmod".into(), RuntimeEvent::Killed { signal: 15 }, 1),
            ("mysql".into(), RuntimeEvent::Started, 3),
            ("gmod".into(), DIED, 4),
            ("gmod".into(), RuntimeEvent::Stopped, 4),
        ];
        assert_eq!(told(&mut order), wanted);
    }

    #[test]
    fn a_stop_after_its_death_is_told_at_once() {
        let mut order = Order::default();
        take(&mut order, "gmod", 1, DIED);
        take(&mut order, "gmod", 2, RuntimeEvent::Stopped);
        assert_eq!(told(&mut order).len(), 2);
        // The next process has its own death.
        take(&mut order, "gmod", 3, RuntimeEvent::Started);
        take(&mut order, "gmod", 4, RuntimeEvent::Stopped);
        assert_eq!(told(&mut order), []);
        order.wait_no_longer();
        assert_eq!(told(&mut order).len(), 2);
    }
}
