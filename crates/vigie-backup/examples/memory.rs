//! Does: measures how much memory each work on a repository takes, on a tree of random and of
//! compressible files. `cargo run --release -p vigie-backup --example memory -- DIRECTORY MEGABYTES`.
//!
//! Each work runs in a process of its own, since memory that was used once stays with its process.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use vigie_backup::{Access, Repository, Site};

const PASSWORD: &str = "a password";
const WORKS: [&str; 8] = ["put", "again", "stream", "copy", "verify", "get", "file", "prune"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [at, what] = &arguments[..] else {
        eprint("memory DIRECTORY MEGABYTES");
        return ExitCode::from(2);
    };
    let at = PathBuf::from(at);
    let done = match what.parse::<u64>() {
        Ok(megabytes) => all(&at, megabytes),
        Err(_) => one(&at, what),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprint(&why);
            ExitCode::FAILURE
        }
    }
}

fn eprint(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn all(at: &Path, megabytes: u64) -> Result<(), String> {
    let text = |error: std::io::Error| error.to_string();
    tree(&at.join("tree"), megabytes).map_err(text)?;
    let first =
        Repository::create(&at.join("first"), PASSWORD).map_err(|error| error.to_string())?;
    let second = Site::Local(at.join("second"));
    first.create_like(&second, &Access::default(), PASSWORD).map_err(|error| error.to_string())?;
    let mut out = std::io::stdout();
    for work in WORKS {
        let program = std::env::current_exe().map_err(text)?;
        let begun = Instant::now();
        let ended = Command::new(program).arg(at).arg(work).output().map_err(text)?;
        if !ended.status.success() {
            return Err(format!("{work}: {}", String::from_utf8_lossy(&ended.stderr)));
        }
        let peak = String::from_utf8_lossy(&ended.stdout).trim().to_owned();
        let seconds = begun.elapsed().as_secs_f64();
        writeln!(out, "{work:8} {seconds:6.1} s {peak:>6} MB").map_err(text)?;
    }
    Ok(())
}

fn one(at: &Path, work: &str) -> Result<(), String> {
    let text = |error: vigie_backup::Error| error.to_string();
    let open = |name: &str| Repository::open(&at.join(name), PASSWORD).map_err(text);
    let first = open("first")?;
    let last = |repository: &Repository, label: &str| -> Result<String, String> {
        let all = repository.snapshots().map_err(text)?;
        let found = all.into_iter().rfind(|(_, of, _)| of == label);
        found.map(|(id, _, _)| id).ok_or_else(|| format!("no snapshot {label}"))
    };
    match work {
        "put" | "again" => {
            first.put_tree("tree", work, &at.join("tree")).map(drop).map_err(text)?
        }
        "stream" => {
            let text_of = |error: std::io::Error| error.to_string();
            let file = std::fs::File::open(at.join("tree/text")).map_err(text_of)?;
            first.put_stream("stream", work, "text", file, || Ok(())).map(drop).map_err(text)?;
        }
        "copy" => first.copy_to(&open("second")?).map(drop).map_err(text)?,
        "verify" => {
            let found = first.verify(100).map_err(text)?;
            if !found.is_sound() {
                return Err(found.to_string());
            }
        }
        "get" => first.get_tree(&last(&first, "tree")?, &at.join("back")).map_err(text)?,
        "file" => {
            let id = last(&first, "stream")?;
            first.get_file(&id, "text", &mut std::io::sink()).map_err(text)?;
        }
        "prune" => {
            first.forget(&[last(&first, "tree")?]).map_err(text)?;
            first.prune().map_err(text)?;
        }
        other => return Err(format!("no work is called {other}")),
    }
    let status = std::fs::read_to_string("/proc/self/status").map_err(|error| error.to_string())?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
    let megabytes = kilobytes.map_or(0, |kilobytes| kilobytes / 1024);
    writeln!(std::io::stdout(), "{megabytes}").map_err(|error| error.to_string())
}

/// Half random in files of many sizes, half one large text that packs well.
fn tree(at: &Path, megabytes: u64) -> std::io::Result<()> {
    if at.exists() {
        return Ok(());
    }
    std::fs::create_dir_all(at)?;
    let mut random = std::fs::File::open("/dev/urandom")?;
    let (mut left, mut number) = (megabytes << 19, 0_u64);
    while left > 0 {
        let size = (1_u64 << (10 + number % 15)).min(left);
        let directory = at.join(format!("d{}", number % 50));
        std::fs::create_dir_all(&directory)?;
        let mut file = std::fs::File::create(directory.join(format!("f{number}")))?;
        std::io::copy(&mut (&mut random).take(size), &mut file)?;
        (left, number) = (left - size, number + 1);
    }
    let mut text = std::io::BufWriter::new(std::fs::File::create(at.join("text"))?);
    let (mut left, mut line) = (megabytes << 19, 0_u64);
    while left > 0 {
        let row = format!(
            "INSERT INTO players VALUES ({line}, 'STEAM_0:1:{}', {});\n",
            line * 7,
            line % 97
        );
        text.write_all(row.as_bytes())?;
        (left, line) = (left.saturating_sub(row.len() as u64), line + 1);
    }
    text.flush()
}
