//! What outlives a restart, a configuration or a person's patience.

use super::*;

/// Vigie is killed and comes back with another configuration.
fn come_back(world: &mut World, services: Vec<Service>, books: Vec<Runbook>) {
    let state = State::replay(world.records.clone());
    let stack = Stack::new("test", services, Settings::default(), books);
    world.engine = Engine::new(stack, state);
    world.acts.clear();
    world.event(Event::Began { version: String::from("test") });
}

fn configured(world: &World) -> Vec<Service> {
    world.engine.stack().services().map(|(_, service)| service.clone()).collect()
}

#[test]
fn a_run_whose_case_is_not_there_any_more_holds_nothing() {
    for verifying in [false, true] {
        let mut world = World::new();
        world.crash(139);
        world.collect(RuntimeState::Exited, Some(139));
        if verifying {
            world.step_done();
        }
        let mut books = runbooks();
        books[0].cases.retain(|case| case.id != "A");
        let services = configured(&world);
        come_back(&mut world, services, books);
        let run = &world.engine.state().runs[&crate::respond::RunId(1)];
        assert_eq!(run.phase, crate::respond::Phase::Ended(crate::respond::Ending::Cancelled));
        world.pass(600_000);
        world.replays();
    }
}

#[test]
fn a_run_whose_service_is_not_watched_any_more_holds_nothing() {
    let mut world = World::new();
    world.crash(139);
    world.collect(RuntimeState::Exited, Some(139));
    let services = configured(&world).split_off(1);
    come_back(&mut world, services, runbooks());
    assert!(world.engine.state().live_runs().next().is_none());
    assert_eq!(world.incident(1).state, Lifecycle::Resolved);
    world.pass(600_000);
    world.replays();
}

#[test]
fn the_hosts_own_symptoms_outlive_a_restart() {
    let mut world = World::new();
    let host = world.engine.stack().host();
    world.fact(host, Fact::HostDisk { used_pct: 97.0, mount: Arc::from("/") });
    let services = configured(&world);
    come_back(&mut world, services, runbooks());
    assert!(world.incident(1).shows("host", SymptomKind::Disk));
}

#[test]
fn nothing_is_collected_at_hand_before_the_first_look() {
    let mut world = World::new();
    world.crash(139);
    let services = configured(&world);
    world.pass(10_000);
    let records = world.records.clone();
    world.now = Moment::from_ms(world.now.steady + 600_000);
    world.records = records;
    come_back(&mut world, services, runbooks());
    assert!(world.acts.iter().any(|act| matches!(act, Act::Collect { .. })));
    assert!(world.engine.state().runs[&crate::respond::RunId(1)].evidence.is_none());
}

/// Who takes it out of the case while it asks has answered.
#[test]
fn silence_is_a_yes_only_while_the_case_still_says_so() {
    for (meanwhile, granted) in
        [(crate::respond::Silence::Approve, true), (crate::respond::Silence::Refuse, false)]
    {
        let mut world = World::new();
        world.engine.stack.settings.mode = crate::stack::Mode::Assist;
        let set = |world: &mut World, silence| {
            let books = world.engine.stack.runbooks.iter_mut();
            books.flat_map(|book| &mut book.cases).for_each(|case| case.approve_default = silence);
        };
        set(&mut world, crate::respond::Silence::Approve);
        world.crash(139);
        world.collect(RuntimeState::Exited, Some(139));
        let asked = |record: &Record| matches!(record, Record::ApprovalAsked { .. });
        assert!(world.records.iter().any(|(_, record)| asked(record)));
        set(&mut world, meanwhile);
        world.pass(901_000);
        let answers: Vec<_> = world
            .records
            .iter()
            .filter_map(|(_, record)| match record {
                Record::ApprovalGiven { granted, .. } => Some(*granted),
                _ => None,
            })
            .collect();
        assert_eq!(answers, [granted]);
    }
}

#[test]
fn what_was_never_opened_is_neither_noted_nor_closed() {
    let mut world = World::new();
    world.crash(139);
    let by = Actor::Person(String::from("anna"));
    for number in [0, 2] {
        let id = IncidentId(number);
        let orders =
            [Order::Note(id, by.clone(), String::from("hm")), Order::Close(id, by.clone())];
        for order in orders {
            let reply = world.event(Event::Ordered(order)).reply.unwrap();
            assert!(reply.unwrap_err().contains("vigie incident list"));
        }
    }
    let note = Order::Note(IncidentId(1), by.clone(), String::from("hm"));
    assert!(world.event(Event::Ordered(note)).reply.unwrap().is_ok());
    let note = Order::Note(IncidentId(1), by.clone(), String::from(" "));
    let reply = world.event(Event::Ordered(note)).reply.unwrap();
    assert_eq!(reply.unwrap_err(), "a note needs a text");
    let severity = crate::incident::Severity::P2;
    let report = Order::Report { service: GAME, severity, text: String::new(), by };
    let reply = world.event(Event::Ordered(report)).reply.unwrap();
    assert!(reply.unwrap_err().starts_with("a report needs a text"));
    assert_eq!(world.engine.state().incidents.len(), 1);
}

#[test]
fn the_oldest_lua_error_is_forgotten_first() {
    let mut world = World::new();
    for signature in 0..4097_u64 {
        let fact = ConsoleFact::LuaErrors {
            signature: u64::MAX - signature,
            count: 1,
            sample: Arc::from("x"),
        };
        world.fact(GAME, Fact::Console(fact));
    }
    let known = &world.engine.state().services["gmod"].signatures;
    assert_eq!(known.len(), 4096);
    assert!(!known.contains(&u64::MAX) && known.contains(&(u64::MAX - 4096)));
}

#[test]
fn the_runs_of_a_lasting_incident_are_bounded() {
    let mut world = World::new();
    world.crash(139);
    for number in 2..60 {
        let record = Record::RunStarted {
            run: crate::respond::RunId(number),
            incident: IncidentId(1),
            service: String::from("gmod"),
            runbook: String::from("p1-unreachable"),
            by: Actor::Vigie,
        };
        world.records.push((world.now, record));
        let record = Record::CaseChosen {
            run: crate::respond::RunId(number),
            evidence: Box::default(),
            case: Some(String::from("A")),
            rejected: Vec::new(),
        };
        world.records.push((world.now, record));
    }
    let state = State::replay(world.records.clone());
    let runs = &state.incidents[&IncidentId(1)].runs;
    assert_eq!((runs.len(), state.runs.len()), (State::RUNS, State::RUNS));
    let kept = state.runs.values().filter(|run| run.evidence.is_some()).count();
    assert_eq!(kept, State::EVIDENCE);
}

#[test]
fn an_old_death_for_memory_is_no_fault_of_a_server_found_alive() {
    let mut world = World::new();
    world.runtime(GAME, RuntimeEvent::Oom);
    world.crash(137);
    world.collect(RuntimeState::Exited, Some(137));
    world.boot(500);
    world.step_done();
    world.pass(1_000_000);
    let services = configured(&world);
    come_back(&mut world, services, runbooks());
    let up_for = Some(Duration::from_secs(900));
    let seen = Inspection { state: RuntimeState::Running, up_for, ..Inspection::default() };
    world.fact(GAME, Fact::Inspected(seen));
    world.a2s(true);
    assert_eq!(world.engine.state().last_incident, 1);
    assert_eq!(world.incident(1).state, Lifecycle::Resolved);
}

#[test]
fn rcon_is_asked_as_soon_as_a_server_first_lives() {
    let stack = World::new().engine.stack().clone();
    let mut world = World::new();
    world.engine = Engine::new(stack, State::default());
    world.acts.clear();
    world.event(Event::Began { version: String::from("test") });
    world.a2s(true);
    let asked = Act::Look { service: GAME, probe: crate::observe::Probe::Rcon };
    assert!(world.acts.contains(&asked));
    world.rcon(true);
    world.acts.clear();
    world.a2s(true);
    assert!(!world.acts.contains(&asked));
}

#[test]
fn nobodys_incident_goes_up_level_by_level_until_somebody_has_it() {
    let mut world = World::new();
    let minutes = |n: u64| Duration::from_secs(n * 60);
    let level = |name: &str| crate::notify::Level {
        notify: vec![name.to_owned()],
        after: minutes(10),
        repeat: minutes(20),
    };
    world.engine.stack.settings.escalation = vec![level("oncall"), level("owner")];
    let (severity, by) = (crate::incident::Severity::P1, Actor::Person(String::from("Zoé")));
    let text = String::from("nobody can join");
    world.event(Event::Ordered(Order::Report { service: GAME, severity, text, by: by.clone() }));
    // The runbook of broken features asks or gives up: nobody has it in hand.
    world.collect(RuntimeState::Running, None);
    let began = world.now.steady;
    for _ in 0..90 {
        world.pass(60_000);
        world.all_well();
    }
    world.event(Event::Ordered(Order::Acknowledge(IncidentId(1), by)));
    for _ in 0..90 {
        world.pass(60_000);
        world.all_well();
    }
    let told: Vec<_> = world
        .records
        .iter()
        .filter_map(|(at, record)| match record {
            Record::EscalatedTo { level, to, .. } => {
                Some(((at.steady - began) / 60_000, *level, to.join(",")))
            }
            _ => None,
        })
        .collect();
    let expected =
        [(15, 1, "oncall"), (25, 2, "owner"), (45, 2, "owner"), (65, 2, "owner"), (85, 2, "owner")];
    let expected = expected.map(|(at, level, to)| (at, level, to.to_owned()));
    assert_eq!(told, expected);
    world.replays();
}

#[test]
fn a_rehearsal_tells_what_an_order_would_do_and_changes_nothing() {
    let mut world = World::new();
    freeze(&mut world, 15);
    let before = world.engine.state().clone();
    let rehearse = |world: &World, state, runbook: &str| {
        let mut evidence = Box::new(Evidence::default());
        evidence.inspection.state = state;
        world.engine.rehearse(world.now, GAME, runbook, evidence)
    };
    let records = rehearse(&world, RuntimeState::Running, "p1-unreachable").unwrap();
    let chosen = |record: &Record| matches!(record, Record::CaseChosen { case: Some(case), .. } if case == "E");
    assert!(chosen(&records[0]), "{records:#?}");
    let kills = |record: &Record| {
        matches!(record, Record::StepIntended { step: Step::Restart { kill: true }, .. })
    };
    assert!(records.iter().any(kills), "{records:#?}");
    // One proof alone: the guard has its word here too.
    world.rcon(true);
    let records = rehearse(&world, RuntimeState::Running, "p1-unreachable").unwrap();
    assert!(!records.iter().any(kills), "{records:#?}");
    let unknown = rehearse(&world, RuntimeState::Running, "nope").unwrap_err();
    assert!(unknown.contains("vigie runbook list"), "{unknown}");
    let after = world.engine.state();
    assert_eq!((after.last_run, after.last_incident), (before.last_run, before.last_incident));
}

#[test]
fn what_comes_back_late_has_a_clock_of_its_own() {
    let mut world = World::new();
    // Nothing is begun, so nobody has it in hand; the server comes back by itself.
    world.engine.stack.settings.mode = crate::stack::Mode::Observe;
    let called = |world: &World| {
        let told = |record: &(Moment, Record)| {
            matches!(record.1, Record::Escalated { .. } | Record::Overdue { .. })
        };
        world.records.iter().any(told)
    };
    for _ in 0..4 {
        world.crash(139);
        world.boot(1_500);
        assert!(!called(&world), "it has only just come back");
        for _ in 0..8 {
            world.pass(60_000);
            world.all_well();
        }
    }
    // Past its fifteen minutes, all of it well in between, and the same incident.
    let incident = world.incident(1);
    assert!(incident.relapses >= 2, "{} relapses", incident.relapses);
    assert!(world.now.since(incident.detected) > Duration::from_secs(1_200));
    assert!(incident.acknowledged.is_none() && incident.escalated.is_none());
}

#[test]
fn what_got_worse_has_to_be_taken_in_hand_afresh() {
    let mut world = World::new();
    let (low, high) = (crate::incident::Severity::P3, crate::incident::Severity::P1);
    let by = Actor::Person(String::from("Zoé"));
    let text = String::from("it stutters");
    world.event(Event::Ordered(Order::Report { service: GAME, severity: low, text, by }));
    let minutes = |world: &mut World, count: i64| {
        for _ in 0..count {
            world.pass(60_000);
            world.all_well();
        }
    };
    minutes(&mut world, 25 * 60);
    assert!(world.incident(1).overdue, "a day has passed");
    let raised = Record::SeverityRaised { incident: IncidentId(1), severity: high, title: None };
    world.event(Event::Recorded(raised));
    assert_ne!(world.incident(1).state, Lifecycle::Escalated);
    minutes(&mut world, 16);
    assert_eq!(world.incident(1).state, Lifecycle::Escalated, "a P1 in nobody's hands for 15 min");
}
