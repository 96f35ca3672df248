//! The engine under simulation: random worlds with faults, delays, lost and reordered observations
//! and a vigie that is killed at any moment; after every single event the invariants must hold.
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail by panicking")]
#![expect(clippy::expect_used, reason = "the helpers of a test fail by panicking")]

mod action;
mod delivered;
mod invariants;
mod world;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

use action::Action;
use world::World;

fn action() -> impl Strategy<Value = Action> {
    let service = 0_u16..3;
    prop_oneof![
        8 => (100_i64..30_000).prop_map(Action::Pass),
        4 => (service.clone(), prop::sample::select(vec![0, 1, 127, 134, 137, 139])).prop_map(|(s, c)| Action::Crash(s, c)),
        1 => service.clone().prop_map(Action::Oom),
        2 => service.clone().prop_map(Action::Freeze),
        1 => service.clone().prop_map(Action::Thaw),
        1 => service.clone().prop_map(Action::OperatorStop),
        1 => service.clone().prop_map(Action::OperatorKill),
        1 => service.clone().prop_map(Action::OperatorStart),
        1 => service.clone().prop_map(Action::Sicken),
        1 => any::<bool>().prop_map(Action::RuntimeAway),
        1 => any::<bool>().prop_map(Action::NetworkDown),
        2 => prop_oneof![Just(0_i64), 0_i64..600_000].prop_map(Action::KillVigie),
        1 => (service.clone(), any::<bool>()).prop_map(|(s, h)| Action::Incurable(s, h)),
        1 => (0_u64..3, 1_u32..20).prop_map(|(s, c)| Action::LuaErrors(s, c)),
        1 => (service.clone(), 50_u64..100).prop_map(|(s, m)| Action::Memory(s, m)),
        1 => Just(Action::MapChange),
        1 => Just(Action::Resolve),
        1 => service.clone().prop_map(Action::Report),
        1 => service.clone().prop_map(Action::Run),
        1 => (0_u8..4).prop_map(Action::Lossy),
        1 => (0_u8..3).prop_map(Action::BadSteps),
        1 => any::<bool>().prop_map(Action::Maintenance),
        1 => any::<bool>().prop_map(Action::Approve),
        1 => (-3_600_000_i64..3_600_000).prop_map(Action::ClockJump),
        1 => Just(Action::DatabaseComplaint),
    ]
}

/// The same histories every time, so that a failure is the change's own. `VIGIE_SIMULATION_SEED=N` (or
/// `random`) plays others.
fn seed() -> RngSeed {
    match std::env::var("VIGIE_SIMULATION_SEED").as_deref() {
        Ok("random") => RngSeed::Random,
        Ok(text) => RngSeed::Fixed(text.parse().expect("a number, or `random`")),
        Err(_) => RngSeed::Fixed(0x5669_6769_6521),
    }
}

proptest! {
    #![proptest_config(Config { cases: 10_000, max_shrink_iters: 2_000, failure_persistence: None, rng_seed: seed(), ..Config::default() })]

    #[test]
    fn every_history_keeps_the_invariants(
        seed in any::<u64>(),
        restarts_itself in any::<bool>(),
        actions in prop::collection::vec(action(), 1..14),
    ) {
        let mut world = World::new(seed, restarts_itself);
        for action in &actions {
            world.act(action).map_err(TestCaseError::fail)?;
        }
        world.calm_down().map_err(TestCaseError::fail)?;
    }
}
