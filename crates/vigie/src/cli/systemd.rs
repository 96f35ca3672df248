//! Does: `vigie systemd`: the unit that runs the watch of this configuration, shown or installed.

use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, chown};
use std::path::Path;

use super::args::{SystemdArgs, account_name};
use super::{Exit, Failure, Paint};
use crate::config::Config;
use crate::pulse::Unit;
use crate::whole::{self, Access};

pub(super) fn run(path: &Path, args: &SystemdArgs) -> Result<Exit, Failure> {
    let config = Config::read(path)?;
    let program = std::env::current_exe()?;
    let owner = owner(&config)?;
    let docker_host = std::env::var("DOCKER_HOST").ok();
    let docker_host = docker_host.filter(|host| !host.is_empty());
    let account = (owner != 0).then(|| account_name(owner).unwrap_or_else(|| owner.to_string()));
    let unit = Unit { program, config: &config, account, docker_host };
    let text = unit.text().map_err(|error| Failure::new(Exit::Usage, error))?;
    if !args.install {
        print!("{text}");
        let state = config.state_directory();
        if !state.exists() {
            let (state, next) =
                (state.display(), "--install makes it, and so does a first `vigie watch`");
            eprintln!("note: {state} has to be there before the unit is started; {next}");
        }
        return Ok(Exit::Fine);
    }
    if args.dry_run {
        print!("{text}");
        eprintln!("would write {}; nothing was written", args.to.display());
        return Ok(Exit::Fine);
    }
    install(&args.to, &text, args.force)?;
    make_state(&config, owner)?;
    let name = args.to.file_name().unwrap_or_default().to_string_lossy();
    let paint = Paint::for_stdout();
    println!("wrote {}\n", args.to.display());
    println!("next: {}", paint.bold("systemctl daemon-reload"));
    println!("      {}", paint.bold(&format!("systemctl enable --now {name}")));
    Ok(Exit::Fine)
}

/// The account that the watch runs as: whose journal it is, or whose configuration.
fn owner(config: &Config) -> Result<u32, Failure> {
    let of = |path: &Path| std::fs::metadata(path).map(|metadata| metadata.uid());
    Ok(of(&config.state_directory()).or_else(|_| of(&config.path))?)
}

fn install(to: &Path, text: &str, force: bool) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        let next = match error.kind() {
            ErrorKind::PermissionDenied => "; run it as root, or print the unit without --install",
            _ => "; print the unit without --install and put it where it belongs",
        };
        Failure::say(Exit::Finding, format!("{} cannot be written: {error}{next}", to.display()))
    };
    match std::fs::read_to_string(to) {
        Ok(there) if there == text => return Ok(()),
        Ok(_) if !force => {
            let why = format!(
                "{} exists and says something else; look at it, or replace it with --force (the old one \
                 is kept beside it, as .bak)",
                to.display()
            );
            return Err(Failure::say(Exit::Refused, why));
        }
        Ok(there) => {
            let mut kept = to.as_os_str().to_owned();
            kept.push(".bak");
            whole::put(Path::new(&kept), there.as_bytes(), Access::Like(to)).map_err(failed)?;
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    whole::put(to, text.as_bytes(), Access::Kept(0o644)).map_err(failed)
}

/// The unit lets the watch write into this directory, so it has to be there.
fn make_state(config: &Config, owner: u32) -> Result<(), Failure> {
    let state = config.state_directory();
    if state.exists() {
        return Ok(());
    }
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&state)?;
    if rustix::process::geteuid().as_raw() != owner {
        chown(&state, Some(owner), None)?;
    }
    Ok(())
}
