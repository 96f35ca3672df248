//! The database that comes and goes.

use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;

use vigie_practice::Config;

use crate::wire::{PASSWORD, eventually, start};

#[test]
fn its_absence_and_its_return_are_told() {
    let target = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = Config { database: Some(target.to_string()), ..Config::loopback(PASSWORD) };
    let (_server, said) = start(config);
    eventually("the failure", || {
        said.text().contains("[Construction] ❌ MySQL connexion échouée: Can't connect to MySQL server on '127.0.0.1' (111)\n")
    });
    let listener = TcpListener::bind(target).unwrap();
    let (mut visitor, _) = listener.accept().unwrap();
    visitor.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    visitor.write_all(b"\x06\0\0\0\x0a8.0\0\0").unwrap();
    eventually("the return", || {
        said.text().contains("[Construction] ✅ MySQL connecté - 127.0.0.1\n")
    });
}
