//! Does: the recovery sheet: what has to be on paper to get everything back on a bare host. It says where
//! secrets are and leaves a line for each: a secret is written by a hand, never by vigie.

use std::fmt::Write as _;

use crate::backup::recover::{PASSWORD, SECRET, word};
use crate::backup::{BackupError, Sites};
use crate::config::{Config, Lang, Secret, SiteConfig};

const LINE: &str = "______________________________";

pub(super) fn write(config: &Config, sites: &Sites<'_>) -> Result<String, BackupError> {
    let french = config.file.stack.lang == Lang::Fr;
    let stack = &config.stack.name;
    let mut out = String::new();
    let head = if french {
        [
            format!(
                "FICHE DE REPRISE de « {stack} » : à recopier sur papier, rangée hors de cette machine"
            ),
            String::from("Sans le mot de passe, aucune sauvegarde ne peut être lue, par personne."),
            String::from("mot de passe des sauvegardes"),
        ]
    } else {
        [
            format!(
                "RECOVERY SHEET of {stack}: copy it to paper, and keep that away from this host"
            ),
            String::from("Without the password nobody can read a backup, not even we."),
            String::from("password of the backups"),
        ]
    };
    let _ = writeln!(out, "{}\n{}\n", head[0], head[1]);
    let _ = writeln!(out, "  {} ({}): {LINE}", head[2], place(&sites.backup().password));
    for name in sites.names() {
        let away = sites.site(name)?;
        let off = match (away.is_off_site(), french) {
            (true, false) => "off-site",
            (true, true) => "hors site",
            (false, false) => "on this host",
            (false, true) => "sur cette machine",
        };
        let _ = writeln!(out, "\n  site {name}, {off}: {}", sites.shown(name)?);
        if let Some(s3) = &away.s3 {
            let _ = writeln!(out, "    access key {}, secret key: {LINE}", s3.access_key);
        }
        for server in away.webdav.iter().chain(&away.rest) {
            let _ = writeln!(out, "    user {}, password: {LINE}", server.user);
        }
        if let Some(sftp) = &away.sftp {
            let key = sftp
                .key_file
                .as_ref()
                .map_or_else(|| String::from("ssh's own"), |file| file.display().to_string());
            let _ = writeln!(out, "    user {}, private key: {key} (keep a copy of it)", sftp.user);
        }
        for config in away.rclone.iter().filter_map(|one| one.config.as_ref()) {
            let _ = writeln!(out, "    rclone's {} (keep a copy of it)", config.display());
        }
        let _ = writeln!(out, "    {}", command(config, name, away));
    }
    let then = if french {
        format!(
            "\nPour tout retrouver sur une machine nue : installez Docker et vigie, puis lancez la commande du \
             site. Les secrets sont demandés, ou lus dans {PASSWORD} et {SECRET}."
        )
    } else {
        format!(
            "\nTo get it all back on a bare host: install Docker and vigie, and run the command of the site. \
             Secrets are asked for, or read from {PASSWORD} and {SECRET}."
        )
    };
    let _ = writeln!(out, "{then}");
    Ok(out)
}

/// What brings everything back from a site. The directory has the name that this one has: Compose may have
/// named the project after it.
fn command(config: &Config, name: &str, site: &SiteConfig) -> String {
    let directory = config.directory();
    let to = quoted(&directory.display().to_string());
    match word(site, &directory) {
        Some(word) => format!("vigie recover --from {} --to {to}", quoted(&word)),
        // What no word says stands in a file: this section, copied.
        None => format!(
            "vigie recover --from {name} --config FILE --to {to}   (FILE: [backup] and [backup.site.{name}])"
        ),
    }
}

/// A word that a shell leaves as it is.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/:@.,_+-%".contains(c);
    if word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

fn place(secret: &Secret) -> String {
    match secret {
        Secret::Env(name) => format!("${name}"),
        Secret::File(path) => path.display().to_string(),
    }
}
