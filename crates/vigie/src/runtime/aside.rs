//! Does: looks that block (a disk's use, a console's file) beside the tasks that must go on. A disk
//! that does not answer holds one thread and nobody else: at most one look at a source is under way,
//! and its silence is said once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

#[derive(Default)]
struct Source {
    // Held by the look that is under way, also when nobody waits for it any more.
    turn: Arc<tokio::sync::Mutex<()>>,
    silent: AtomicBool,
}

/// By what is looked at, for the whole program: whoever looks at a dead disk finds the same one.
static SOURCES: Mutex<BTreeMap<String, Arc<Source>>> = Mutex::new(BTreeMap::new());

fn source(name: &str) -> Arc<Source> {
    let mut known = SOURCES.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(known.entry(name.to_owned()).or_default())
}

/// Does `look` at `name`; nothing when there is no answer within `limit`, or an earlier look is still
/// without one.
pub(crate) async fn aside<T: Send + 'static>(
    name: &str,
    limit: Duration,
    look: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let source = source(name);
    let asked = {
        let source = Arc::clone(&source);
        let name = name.to_owned();
        async move {
            let turn = Arc::clone(&source.turn).lock_owned().await;
            let look = move || {
                let seen = look();
                if source.silent.swap(false, Ordering::Relaxed) {
                    tracing::info!("{name} answers again");
                }
                drop(turn);
                seen
            };
            tokio::task::spawn_blocking(look).await.ok()
        }
    };
    match tokio::time::timeout(limit, asked).await {
        Ok(seen) => seen,
        Err(_) => {
            if !source.silent.swap(true, Ordering::Relaxed) {
                let seconds = limit.as_secs_f32();
                tracing::warn!(
                    "{name} does not answer within {seconds} s; not known until it does"
                );
            }
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const SHORT: Duration = Duration::from_millis(50);

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_look_that_hangs_is_one_and_ends_by_itself() {
        let (answer, wait) = mpsc::channel::<()>();
        let looks = Arc::new(Mutex::new(0));
        let count = Arc::clone(&looks);
        let hangs = move || {
            *count.lock().unwrap() += 1;
            wait.recv().is_ok()
        };
        let name = "the disk of this test";
        assert_eq!(aside(name, SHORT, hangs).await, None);
        for _ in 0..5 {
            let count = Arc::clone(&looks);
            let look = move || *count.lock().unwrap() += 1;
            assert_eq!(aside(name, SHORT, look).await, None, "one is under way");
        }
        assert_eq!(*looks.lock().unwrap(), 1);
        assert!(source(name).silent.load(Ordering::Relaxed));
        // Others are not held up.
        assert_eq!(aside("another disk", Duration::from_secs(5), || 7).await, Some(7));
        answer.send(()).unwrap();
        assert_eq!(aside(name, Duration::from_secs(5), || 8).await, Some(8));
        assert!(!source(name).silent.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn two_who_look_at_once_both_see() {
        let slow = || std::thread::sleep(SHORT);
        let limit = Duration::from_secs(5);
        let both = tokio::join!(aside("slow", limit, slow), aside("slow", limit, slow));
        assert_eq!(both, (Some(()), Some(())));
    }
}
