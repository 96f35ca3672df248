//! Matches the console log given as argument, once, and prints how long it took and what it found;
//! `cargo xtask bench console` compares it with `grep -E`. `--patterns` prints the patterns.
#![expect(clippy::disallowed_methods, reason = "an example measures, and starts what it measures")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its figures")]

use std::io::Read as _;
use std::process::ExitCode;
use std::time::Instant;

use vigie_core::console::{GREP_ERE, Matcher};

fn main() -> ExitCode {
    let Some(argument) = std::env::args().nth(1) else {
        eprintln!("usage: console_speed FILE | --patterns");
        return ExitCode::from(2);
    };
    if argument == "--patterns" {
        println!("{GREP_ERE}");
        return ExitCode::SUCCESS;
    }
    let begun = Instant::now();
    let mut matcher = Matcher::new();
    let mut events = 0_u64;
    // In pieces, as a followed log arrives.
    let mut piece = vec![0; 64 * 1024];
    let mut file = match std::fs::File::open(&argument) {
        Ok(file) => file,
        Err(error) => return complain(&argument, &error),
    };
    loop {
        match file.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => matcher.chunk(&piece[..length], &mut |_| events += 1),
            Err(error) => return complain(&argument, &error),
        }
    }
    matcher.flush(&mut |_| events += 1);
    println!("{} {events}", begun.elapsed().as_micros());
    ExitCode::SUCCESS
}

fn complain(file: &str, error: &std::io::Error) -> ExitCode {
    eprintln!("{file}: {error}");
    ExitCode::from(2)
}
