//! Faults: what still answers and what does not.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use vigie_practice::{Config, Console, CrashPlan, Death, Server, StartError};

use crate::wire::{Asker, PASSWORD, Rcon, eventually, start, up};

const SHORT: Duration = Duration::from_millis(300);

#[test]
fn a_crash_answers_first_and_frees_the_ports() {
    let (server, said) = up();
    let addr = server.addr();
    assert_eq!(Rcon::login(addr).run("practice crash lua-panic"), "practice: crash lua-panic\n");
    assert_eq!(server.wait_timeout(Duration::from_secs(5)), Some(Death::LuaPanic));
    assert!(said.text().ends_with("Engine error: Lua Panic! Something went horribly wrong!\n"));
    server.stop();
    assert!(TcpStream::connect(addr).is_err());
    let (again, _) = start(Config { port: addr.port(), ..Config::loopback(PASSWORD) });
    assert_eq!(again.addr(), addr);
}

#[test]
fn a_freeze_connects_and_says_nothing_until_the_thaw() {
    let (server, said) = up();
    let mut rcon = Rcon::login(server.addr());
    assert_eq!(rcon.run("practice freeze"), "practice: freeze\n");
    eventually("frozen", || !Asker::new(server.addr()).patience(SHORT).answers());
    rcon.send(1, 2, b"echo late");
    rcon.0.set_read_timeout(Some(SHORT)).unwrap();
    assert!(rcon.receive().is_err());
    let before = said.text();
    TcpStream::connect(server.addr()).unwrap();
    server.command("say nobody");
    server.command("practice spew abuse a b 1");
    assert_eq!(said.text(), before);
    server.command("practice heal");
    rcon.0.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    assert_eq!(rcon.receive().unwrap(), (1, 0, b"late\n".to_vec()));
    assert!(Asker::new(server.addr()).answers());
}

#[test]
fn a_freeze_can_end_by_itself() {
    let (server, _) = up();
    server.command("practice freeze 500ms");
    assert!(!Asker::new(server.addr()).patience(SHORT / 2).answers());
    assert!(Asker::new(server.addr()).answers(), "answered late, once thawed");
}

#[test]
fn deafness_takes_one_proof_and_leaves_the_other() {
    let (server, _) = up();
    let mut rcon = Rcon::login(server.addr());
    rcon.run("practice deaf a2s");
    eventually("deaf", || !Asker::new(server.addr()).patience(SHORT).answers());
    assert_eq!(rcon.run("echo here"), "here\n");
    rcon.run("practice heal");
    assert!(Asker::new(server.addr()).answers());

    server.command("practice deaf rcon");
    assert!(Asker::new(server.addr()).answers());
    rcon.send(1, 2, b"echo late");
    rcon.0.set_read_timeout(Some(SHORT)).unwrap();
    assert!(rcon.receive().is_err());
}

#[test]
fn a_map_change_is_silent_and_then_there() {
    let (server, _) = start(Config { changelevel_time: SHORT, ..Config::loopback(PASSWORD) });
    assert_eq!(
        Rcon::login(server.addr()).run("changelevel rp_city"),
        "Changing level to rp_city\n"
    );
    eventually("the new map", || {
        let info = Asker::new(server.addr()).query(crate::wire::INFO);
        info.windows(8).any(|part| part == b"rp_city\0")
    });
}

#[test]
fn nothing_answers_before_the_boot_is_over() {
    let (console, said) = Console::captured();
    let config = Config { boot: Duration::from_millis(800), ..Config::loopback(PASSWORD) };
    let server = Server::start(config, console).unwrap();
    assert!(!Asker::new(server.addr()).patience(SHORT).answers());
    assert!(TcpStream::connect(server.addr()).is_err());
    assert!(server.wait_up(Duration::from_secs(10)));
    let said = said.text();
    assert!(said.contains("WS: Processing 101 addons..."));
    assert!(said.contains("[Construction] Module core chargé"));
    assert!(said.contains("Assigned anonymous gameserver Steam ID"));
    assert!(said.ends_with("VAC secure mode is activated.\n"));
    Rcon::login(server.addr());
}

#[test]
fn a_taken_port_is_told() {
    let (server, _) = up();
    let config = Config { port: server.addr().port(), ..Config::loopback(PASSWORD) };
    assert!(matches!(
        Server::start(config, Console::silent()),
        Err(StartError::PortTaken(port)) if port == server.addr().port()
    ));
}

#[test]
fn a_planned_crash_comes() {
    let crash = CrashPlan { after: SHORT, how: Death::Exit(3), only: None };
    let (server, _) = start(Config { crash: Some(crash), ..Config::loopback(PASSWORD) });
    assert_eq!(server.wait_timeout(Duration::from_secs(5)), Some(Death::Exit(3)));
}

#[test]
fn a_flood_is_exact_and_fast() {
    let (server, said) = up();
    let begun = Instant::now();
    server.command("practice spew flood 20000 1");
    eventually("all of it", || said.text().ends_with("#19999\n"));
    assert!(begun.elapsed() < Duration::from_secs(6));
    assert_eq!(said.text().lines().filter(|line| line.contains("shipment #")).count(), 20_000);
}

#[test]
fn lua_errors_come_until_healed() {
    let (server, said) = up();
    server.command("practice spew lua 200");
    eventually("every shape", || {
        ["[ERROR] addons/", "[Construction System] ", "Lua Error:", "Timer Failed!", "lua_run:1"]
            .iter()
            .all(|shape| said.text().contains(shape))
    });
    server.command("practice heal");
    std::thread::sleep(SHORT);
    let healed = said.text();
    std::thread::sleep(SHORT);
    assert_eq!(said.text(), healed);
}

#[test]
fn a_leak_is_real_and_is_given_back() {
    let (server, _) = up();
    let before = resident_mib();
    server.command("practice leak 400 96");
    eventually("taken", || resident_mib() >= before + 80);
    server.command("practice heal");
    eventually("given back", || resident_mib() < before + 60);
}

fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[test]
fn faults_are_bounded_in_number() {
    let (server, _) = up();
    let answers: Vec<String> = (0..17).map(|_| server.command("practice leak 1 1")).collect();
    assert!(answers[15].contains("leak 1 MiB/s"), "{}", answers[15]);
    assert!(answers[16].contains("practice heal"), "{}", answers[16]);
}
