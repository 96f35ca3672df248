//! RCON, over TCP.

use std::time::Duration;

use vigie_practice::Config;

use crate::wire::{PASSWORD, Rcon, start, up};

#[test]
fn a_login_and_a_command() {
    let (server, said) = up();
    let mut rcon = Rcon::login(server.addr());
    assert_eq!(rcon.run("echo hello"), "hello\n");
    assert!(rcon.run("status").starts_with("hostname: "));
    assert_eq!(rcon.run("frobnicate"), "Unknown command \"frobnicate\"\n");
    assert_eq!(
        rcon.run(&format!("rcon_password {PASSWORD}")),
        "Unknown command \"rcon_password\"\n"
    );
    assert!(said.text().contains("command \"echo hello\""));
    assert!(!said.text().contains(PASSWORD));
}

#[test]
fn a_wrong_password_and_no_password_are_refused() {
    let (server, _) = up();
    let mut rcon = Rcon::connect(server.addr());
    rcon.send(5, 2, b"status");
    assert_eq!(rcon.receive().unwrap(), (-1, 2, Vec::new()));
    assert_eq!(rcon.auth("wrong"), -1);
    assert_eq!(rcon.auth(""), -1);
    assert_eq!(rcon.auth(PASSWORD), 1);
}

#[test]
fn without_a_password_everybody_is_refused() {
    let (server, _) = start(Config::loopback(""));
    assert_eq!(Rcon::connect(server.addr()).auth(""), -1);
}

#[test]
fn failures_ban_the_address_for_a_while() {
    let (server, said) = start(Config {
        rcon_min_failures: 3,
        rcon_ban: Duration::from_secs(1),
        ..Config::loopback(PASSWORD)
    });
    let mut rcon = Rcon::connect(server.addr());
    for _ in 0..3 {
        assert_eq!(rcon.auth("wrong"), -1);
    }
    assert!(rcon.is_closed());
    assert!(Rcon::connect(server.addr()).is_closed());
    assert!(said.text().contains("Banning 127.0.0.1 for rcon hacking attempts"));
    std::thread::sleep(Duration::from_millis(1200));
    Rcon::login(server.addr());
}

#[test]
fn healing_lifts_a_ban() {
    let (server, _) = start(Config { rcon_min_failures: 1, ..Config::loopback(PASSWORD) });
    Rcon::connect(server.addr()).auth("wrong");
    assert!(Rcon::connect(server.addr()).is_closed());
    server.command("practice heal");
    Rcon::login(server.addr());
}

#[test]
fn long_answers_come_in_several_packets() {
    let (server, _) = up();
    let mut rcon = Rcon::login(server.addr());
    for bytes in [2, 4085, 4086, 4087, 8172, 8173, 300_000] {
        assert_eq!(rcon.run(&format!("practice long {bytes}")).len(), bytes);
    }
    assert!(rcon.run("construction_logs 500").len() > 8192);
}

#[test]
fn connections_are_bounded() {
    let (server, _) = up();
    let mut open: Vec<Rcon> = (0..32).map(|_| Rcon::login(server.addr())).collect();
    assert!(Rcon::connect(server.addr()).is_closed());
    open.pop();
    std::thread::sleep(Duration::from_millis(200));
    Rcon::login(server.addr());
}

#[test]
fn junk_closes_the_connection_and_can_ban() {
    use std::io::Write;
    let (server, _) = start(Config { rcon_min_failures: 2, ..Config::loopback(PASSWORD) });
    for _ in 0..2 {
        let mut rcon = Rcon::connect(server.addr());
        rcon.0.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        assert!(rcon.is_closed());
    }
    assert!(Rcon::connect(server.addr()).is_closed());
}
