//! Does: one `ssh` with the file transfer protocol on its pipes, which ends with its owner: also when
//! that is killed, since its input ends then. It never asks anybody anything.

use std::ffi::OsString;
use std::sync::{Arc, Mutex, PoisonError};

use openssh_sftp_client::{Sftp as Client, SftpOptions};
use tokio::io::AsyncReadExt as _;
use tokio::process::Child;

use super::{HostKeys, Sftp};
use crate::site::program;
use crate::store::{Fault, Trouble};

/// What `ssh` says fits in here.
const SAID: usize = 8 * 1024;

/// A connection.
pub(super) struct Connection {
    pub(super) sftp: Client,
    /// Ends when this is dropped.
    _ssh: Child,
}

impl Connection {
    /// Connects and logs in.
    pub(super) async fn make(site: &Sftp) -> Result<Self, Fault> {
        let what = format!("connecting to {}", site.host);
        let mut ssh = program::command("ssh", &arguments(site)).spawn().map_err(|error| {
            let why = format!("{what}: the program ssh does not start ({error}); is it installed?");
            Fault::new(Trouble::Wrong, why)
        })?;
        let pipes = ssh.stdin.take().zip(ssh.stdout.take()).zip(ssh.stderr.take());
        let Some(((input, output), mut errors)) = pipes else {
            return Err(Fault::new(Trouble::Wrong, format!("{what}: ssh has no pipes")));
        };
        let said = Arc::new(Mutex::new(String::new()));
        let hears = Arc::clone(&said);
        let listening = tokio::spawn(async move {
            let mut buffer = [0; 1024];
            while let Ok(count @ 1..) = errors.read(&mut buffer).await {
                let mut said = hears.lock().unwrap_or_else(PoisonError::into_inner);
                if said.len() < SAID {
                    said.push_str(&String::from_utf8_lossy(&buffer[..count]));
                }
            }
        });
        match Client::new(input, output, SftpOptions::new()).await {
            Ok(sftp) => Ok(Self { sftp, _ssh: ssh }),
            Err(_) => {
                // It has ended or will now; then all it had to say has come.
                let _ = ssh.kill().await;
                let _ = listening.await;
                let said = said.lock().unwrap_or_else(PoisonError::into_inner);
                Err(refused(&what, &said))
            }
        }
    }
}

/// No secret is among them: the key is named by its file.
fn arguments(site: &Sftp) -> Vec<OsString> {
    let mut all: Vec<OsString> = Vec::new();
    let mut option = |text: &str| all.extend(["-o".into(), OsString::from(text)]);
    option("BatchMode=yes");
    option("ConnectTimeout=10");
    option("ServerAliveInterval=15");
    option("ServerAliveCountMax=3");
    option("ControlPath=none");
    option("ForwardAgent=no");
    option("ClearAllForwardings=yes");
    option(match site.host_keys {
        HostKeys::Known => "StrictHostKeyChecking=yes",
        HostKeys::FirstSeen => "StrictHostKeyChecking=accept-new",
    });
    if let Some(known) = &site.known_hosts {
        // Quotes, because a path can have spaces in it.
        option(&format!("UserKnownHostsFile=\"{}\"", known.display()));
        option("GlobalKnownHostsFile=none");
        option("UpdateHostKeys=no");
    }
    if let Some(key) = &site.key_file {
        option("IdentitiesOnly=yes");
        all.extend(["-i".into(), key.into()]);
    }
    if let Some(port) = site.port {
        all.extend(["-p".into(), port.to_string().into()]);
    }
    if !site.user.is_empty() {
        all.extend(["-l".into(), OsString::from(&site.user)]);
    }
    all.extend(["-s", "--"].map(OsString::from));
    all.extend([OsString::from(&site.host), "sftp".into()]);
    all
}

/// What `ssh` said when there was no connection.
fn refused(what: &str, said: &str) -> Fault {
    let has = |text: &str| said.contains(text);
    if has("IDENTIFICATION HAS CHANGED") {
        let why = "the host has another key than it had; if it was installed anew, remove its old key \
                   from the file of known hosts (ssh-keygen -R), and if not, somebody is in between";
        return Fault::new(Trouble::Refused, format!("{what}: {why}"));
    }
    if has("Host key verification failed") {
        let why = "the key of the host is not in the file of known hosts; compare it with the host's \
                   own and add it (ssh-keyscan), or take the first one that is seen";
        return Fault::new(Trouble::Refused, format!("{what}: {why}"));
    }
    let last = program::last_line(said);
    let trouble = match () {
        () if has("Permission denied") || has("Bad owner or permissions") => Trouble::Refused,
        () if has("Could not resolve") && has("Name or service not known") => Trouble::Passing,
        () if has("command-line") || has("Bad configuration") => Trouble::Wrong,
        () => Trouble::Passing,
    };
    Fault::new(trouble, format!("{what}: {last}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_never_trust_a_changed_key() {
        for host_keys in [HostKeys::Known, HostKeys::FirstSeen] {
            let site = Sftp { host: "h".into(), path: "p".into(), host_keys, ..Sftp::default() };
            let text = format!("{:?}", arguments(&site));
            assert!(text.contains("StrictHostKeyChecking=yes") || text.contains("accept-new"));
        }
    }

    #[test]
    fn what_only_a_person_can_mend_is_not_asked_again() {
        let changed =
            "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.\n";
        assert_eq!(refused("x", changed).trouble, Trouble::Refused);
        assert!(refused("x", changed).why.contains("another key"));
        let unknown = "No ED25519 host key is known for h\nHost key verification failed.\n";
        assert!(refused("x", unknown).why.contains("ssh-keyscan"));
        assert_eq!(
            refused("x", "me@h: Permission denied (publickey).\n").trouble,
            Trouble::Refused
        );
        let down = refused("x", "ssh: connect to host h port 22: Connection refused\n");
        assert_eq!(down.trouble, Trouble::Passing);
        assert!(down.why.ends_with("Connection refused"), "{down}");
    }
}
