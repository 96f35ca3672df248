//! Watches N services on the runtime in memory, each asked over A2S as by default, until its standard
//! input ends; `cargo xtask bench scale` looks at what it uses meanwhile. The server that answers is
//! another process, so that only the watch is measured.
#![expect(clippy::disallowed_methods, reason = "an example measures, and starts what it measures")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to its caller")]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;

use vigie::app::App;
use vigie::config::Config;
use vigie_practice::{Console, Server};
use vigie_testkit::fake::FakeRuntime;

const ANSWER: &str = "--answer";

fn main() -> ExitCode {
    let argument = std::env::args().nth(1).unwrap_or_default();
    let result = if argument == ANSWER {
        answer()
    } else if let Ok(count) = argument.parse() {
        watch(count)
    } else {
        Err("usage: many_services N".into())
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn until_input_ends() -> Result<()> {
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// The server that all services are.
fn answer() -> Result<()> {
    let config = vigie_practice::Config {
        bind: [127, 0, 0, 1].into(),
        port: 0,
        boot: std::time::Duration::ZERO,
        ..vigie_practice::Config::default()
    };
    let server = Server::start(config, Console::silent())?;
    println!("{}", server.addr());
    until_input_ends()
}

fn watch(count: usize) -> Result<()> {
    let program = std::env::current_exe()?;
    let mut server =
        Command::new(program).arg(ANSWER).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut address = String::new();
    let output = server.stdout.take().ok_or("the server has no output")?;
    BufReader::new(output).read_line(&mut address)?;
    let directory = tempfile::tempdir()?;
    let mut text = String::from("[stack]\nname = \"many\"\n");
    let names: Vec<String> = (0..count).map(|number| format!("server-{number}")).collect();
    for name in &names {
        write!(
            text,
            "[service.{name}]\nrole = \"game\"\na2s = {{ address = \"{}\" }}\n",
            address.trim()
        )?;
    }
    let config = Config::parse(&directory.path().join("vigie.toml"), &text)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let fake = FakeRuntime::new(names).running();
        let app = App::start_on(config, Arc::new(fake)).await?;
        println!("ready");
        tokio::task::spawn_blocking(|| until_input_ends().map_err(|error| error.to_string()))
            .await??;
        app.stop().await;
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    drop(server.stdin.take());
    server.wait()?;
    Ok(())
}
