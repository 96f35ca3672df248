//! Does: `vigie maintenance …`, and stopping and starting a service as an operator would.

use std::path::Path;

use super::args::{MaintenanceCommand, OperateArgs};
use super::order::ask;
use super::{Exit, Failure};
use crate::config::{Config, RuntimeKind};
use crate::control::Request;

pub(super) async fn run(path: &Path, command: MaintenanceCommand) -> Result<Exit, Failure> {
    let config = Config::read(path)?;
    let (minutes, deed) = match command {
        MaintenanceCommand::Start { time, deed } => (Some(time.as_secs().div_ceil(60)), deed),
        MaintenanceCommand::Stop { deed } => (None, deed),
    };
    ask(&config, &Request::Maintenance { minutes, by: deed.who.name() }, deed.dry_run).await
}

/// Stops or starts a service. Under Docker this is the runtime's own call, as `docker stop` is;
/// under the process runtime the daemon has to do it.
pub(super) async fn operate(path: &Path, args: &OperateArgs, stop: bool) -> Result<Exit, Failure> {
    let config = Config::read(path)?;
    if config.stack.find(&args.service).is_none() {
        let known: Vec<_> =
            config.stack.services().map(|(_, service)| service.name.clone()).collect();
        let text =
            format!("there is no service `{}`; the stack has: {}", args.service, known.join(", "));
        return Err(Failure::say(Exit::Usage, text));
    }
    let verb = if stop { "stop" } else { "start" };
    if args.dry_run {
        println!("would {verb} {} as an operator; vigie would respect it", args.service);
        return Ok(Exit::Fine);
    }
    if config.file.stack.runtime == RuntimeKind::Docker {
        let runtime = crate::app::runtime(&config)?;
        if stop {
            runtime.stop(&args.service).await?;
        } else {
            runtime.up(&args.service, false).await?;
        }
        println!("{verb}: {}", args.service);
        return Ok(Exit::Fine);
    }
    ask(&config, &Request::Operate { service: args.service.clone(), stop }, false).await
}
