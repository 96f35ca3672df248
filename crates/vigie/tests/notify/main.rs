//! The channels' clients against local servers that enforce the documented limits: one module a kind.
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail by panicking")]
#![expect(clippy::panic, reason = "the helpers of a test fail by panicking")]

mod buttons;
mod discord;
mod email;
mod french;
mod hostile;
mod letters;
mod secrets;
mod storm;
mod telegram;
mod webhook;

/// The outbox sends from tasks of its own.
#[test]
fn sending_can_move_to_another_thread() {
    fn moves<T: Send>(
        _: impl Fn(&'static vigie::notify::Sender, &'static vigie::notify::Letter) -> T,
    ) {
    }
    moves(|sender, letter| sender.send(letter));
}
