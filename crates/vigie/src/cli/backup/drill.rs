//! Does: says what drills would do, and what they have proved: how long it took and how old what came back
//! was, each with its target.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::words;
use crate::backup::{Catalog, Drilled, STACK, Sites};
use crate::cli::{Exit, Failure, Paint};
use crate::config::{Config, RuntimeKind};
use crate::report::{ago, say};

/// What would be tried.
pub(super) fn plan(config: &Config, names: &[String]) -> Result<Exit, Failure> {
    let sites = Sites::of(config)?;
    let known = Catalog::open(config)?.backups(&sites, sites.primary()?)?;
    let is_wanted = |one: &&crate::backup::Manifest| {
        names.is_empty() || names.iter().any(|name| name != STACK && one.asset.is_called(name))
    };
    let tried: BTreeSet<_> = known.iter().filter(is_wanted).map(|one| one.asset.name()).collect();
    tried.iter().for_each(|name| println!("would bring {name} back beside, and compare it"));
    let backup = config.file.backup.as_ref();
    let is_left_out = backup.is_some_and(|one| one.exclude.iter().any(|name| name == STACK));
    let in_all = names.is_empty() && !is_left_out;
    if config.file.stack.runtime == RuntimeKind::Docker
        && (in_all || names.iter().any(|name| name == STACK))
    {
        println!(
            "would bring the whole stack up beside the living one, until it answers, and remove it"
        );
    }
    Ok(Exit::Fine)
}

/// What was proved.
pub(super) fn tell(
    config: &Config,
    drills: Vec<(String, Drilled)>,
    json: bool,
) -> Result<Exit, Failure> {
    let failed = drills.iter().any(|(_, drill)| drill.failed.is_some());
    let exit = if failed { Exit::Finding } else { Exit::Fine };
    if json {
        let told: BTreeMap<_, _> = drills.into_iter().collect();
        println!("{}", serde_json::to_string_pretty(&told)?);
        return Ok(exit);
    }
    let paint = Paint::for_stdout();
    let lang = config.file.stack.lang;
    for (name, drill) in &drills {
        let (took, age) =
            (ago(Duration::from_millis(drill.took_ms)), ago(Duration::from_millis(drill.age_ms)));
        if let Some(why) = &drill.failed {
            println!("{} {name}: {why}", paint.bad("✗"));
            continue;
        }
        // A log has no age: it is kept again when something is new in it.
        let is_well = drill.missed.is_empty() && !name.starts_with("binlog:");
        let told = words::drilled(name, &took, &age, is_well, lang);
        println!("{} {told}", paint.good("✓"));
        drill.missed.iter().for_each(|line| println!("    {}", paint.warn(&say(line, lang))));
        drill.proved.iter().for_each(|line| println!("    {}", say(line, lang)));
    }
    Ok(exit)
}
