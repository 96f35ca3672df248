//! A site that is killed and started again, and a network that is cut or goes deaf, in the middle of works
//! that use it.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use vigie_testkit::lab::{Stack, docker_or_skip, facts_or_skip, free_port, skip};

use super::judge::{Judge, whole, write};
use super::{Begun, FILES, configure, moment, standing};
use crate::backup::fine;

/// How long whatever is broken stays so.
const AWAY: Duration = Duration::from_millis(400);

/// A server program of the test's own.
struct Server {
    program: Command,
    port: u16,
    child: Option<Child>,
}

impl Server {
    fn start(program: Command, port: u16) -> Self {
        let mut server = Self { program, port, child: None };
        server.begin();
        server
    }

    fn begin(&mut self) {
        self.program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(self.program.spawn().unwrap());
        let until = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < until, "{:?} does not listen", self.program);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Kills it and what it started for its connections.
    fn kill(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let mut all = vec![i32::try_from(child.id()).unwrap()];
        let mut next = 0;
        while next < all.len() {
            let tasks = std::fs::read_dir(format!("/proc/{}/task", all[next]));
            for task in tasks.into_iter().flatten().flatten() {
                let list =
                    std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
                all.extend(list.split_whitespace().filter_map(|pid| pid.parse::<i32>().ok()));
            }
            next += 1;
        }
        for pid in all {
            let _ = vigie_testkit::lab::send_signal(pid, vigie_testkit::lab::Signal::KILL);
        }
        child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What a line between two programs does.
const PASSES: u8 = 0;
const REFUSES: u8 = 1;
const DEAF: u8 = 2;

/// A line to a port of this machine.
struct Line {
    port: u16,
    how: Arc<AtomicU8>,
    ends: Arc<Mutex<Vec<TcpStream>>>,
}

impl Line {
    fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (how, ends) = (Arc::new(AtomicU8::new(PASSES)), Arc::new(Mutex::new(Vec::new())));
        let line = Self { port, how: Arc::clone(&how), ends: Arc::clone(&ends) };
        // It ends with the process of the test.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                if how.load(Ordering::SeqCst) == REFUSES {
                    continue;
                }
                let mut ends = ends.lock().unwrap();
                ends.extend([client.try_clone().unwrap(), server.try_clone().unwrap()]);
                for (from, to) in
                    [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)]
                {
                    let how = Arc::clone(&how);
                    std::thread::spawn(move || carry(from, to, &how));
                }
            }
        });
        line
    }

    /// Every connection ends, and none begins.
    fn cut(&self) {
        self.how.store(REFUSES, Ordering::SeqCst);
        for end in self.ends.lock().unwrap().drain(..) {
            let _ = end.shutdown(std::net::Shutdown::Both);
        }
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, how: &AtomicU8) {
    let mut bytes = [0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        while how.load(Ordering::SeqCst) == DEAF {
            std::thread::sleep(Duration::from_millis(5));
        }
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}

/// The works that use the far site.
const WORKS: [&[&str]; 6] = [
    &["backup", "run", FILES],
    &["backup", "copy", "near", "far"],
    &["backup", "verify", "far"],
    &["backup", "restore", FILES, "--site", "far", "--in-place", "--yes"],
    &["backup", "prune", "--site", "far"],
    &["backup", "repair", "far", "--from", "near"],
];

/// A far site, and what can happen to it.
struct Far {
    server: Server,
    line: Line,
}

impl Far {
    fn breaks(&mut self, fault: &str) {
        match fault {
            "killed" => self.server.kill(),
            "cut" => self.line.cut(),
            _ => self.line.how.store(DEAF, Ordering::SeqCst),
        }
        std::thread::sleep(AWAY);
        if fault == "killed" {
            self.server.begin();
        }
        // What was sent to somebody deaf is lost with its connection.
        if fault == "deaf" {
            self.line.cut();
        }
        self.line.how.store(PASSES, Ordering::SeqCst);
    }
}

/// Every work, with every fault, at moments all over the time that it takes.
fn broken_everywhere(stack: &Stack, mut far: Far, files: &Path, faults: &[&str]) {
    let addons = stack.dir().join("addons");
    write(&addons, 1);
    fine(stack, &["backup", "init"]);
    fine(stack, &["backup", "run", FILES]);
    let mut judge = Judge::new(&stack.dir().join("sites/near"), files);
    judge.listen();
    let mut felt = 0;
    let mut rounds = 0;
    for (index, work) in WORKS.iter().enumerate() {
        let mut took = Duration::ZERO;
        for (round, fault) in ["none"].iter().chain(faults).enumerate() {
            let version = 10 + index as u64 * 10 + round as u64;
            if matches!(index, 0 | 1 | 3) {
                write(&addons, version);
            }
            match index {
                // What the near site has more, and what the far one has too much.
                1 => drop(fine(stack, &["--config", "near.toml", "backup", "run", FILES])),
                4 => drop(fine(stack, &["backup", "run", FILES])),
                _ => {}
            }
            let versions = [version, judge.newest(1, FILES)];
            let began = Instant::now();
            let mut begun = Begun::new(stack, work);
            if *fault != "none" {
                begun.wait_until(moment((index * 3 + round) as u32, took));
                far.breaks(fault);
            }
            let (code, text) = begun.end();
            assert!(matches!(code, Some(0 | 1)), "{work:?}, {fault}: {code:?} {text}");
            assert!(*fault != "none" || code == Some(0), "{work:?}: {text}");
            took = took.max(began.elapsed().min(Duration::from_secs(3)));
            rounds += u32::from(*fault != "none");
            felt += u32::from(code == Some(1));
            if index == 3 {
                let found = whole(&addons);
                assert!(found.is_some_and(|one| versions.contains(&one)), "{found:?}");
            }
            judge.looks(index == 4);
        }
    }
    eprintln!("{rounds} faults, {felt} works failed of them");
    fine(stack, &["backup", "run", FILES]);
    fine(stack, &["backup", "copy", "near", "far"]);
    fine(stack, &["backup", "verify"]);
    fine(stack, &["backup", "prune"]);
    judge.looks(true);
    judge.has_no_locks();
    super::nothing_is_left(stack.dir());
    judge.restic_agrees();
}

const NEAR: &str = "[backup.site.near]\nlocal = \"sites/near\"\n";

#[test]
fn an_s3_site_that_is_killed_cut_off_or_deaf_loses_nothing() {
    let what = "an S3 site that fails in the middle";
    let Some(lab) = docker_or_skip(what) else { return };
    let Some(program) = facts_or_skip("s3s-fs", what, |facts| facts.s3s_fs) else { return };
    let kept = tempfile::tempdir().unwrap();
    std::fs::create_dir(kept.path().join("bucket")).unwrap();
    let port = free_port().unwrap();
    let mut command = Command::new(program);
    command.args(["--access-key", "AKEXAMPLE", "--secret-key", PASS, "--host", "127.0.0.1"]);
    command.args(["--port", &port.to_string()]).arg(kept.path());
    let far = Far { server: Server::start(command, port), line: Line::to(port) };
    let stack = standing(&lab, "it-killed-s3");
    configure(&stack, "near.toml", NEAR);
    std::fs::write(stack.dir().join("s3"), PASS).unwrap();
    let site = format!(
        "[backup.site.far]\ns3 = {{ bucket = \"bucket\", endpoint = \"http://127.0.0.1:{}\", region = \
         \"us-east-1\", prefix = \"town\", access_key = \"AKEXAMPLE\", secret_key = {{ file = \"s3\" }} }}\n",
        far.line.port
    );
    configure(&stack, "vigie.toml", &format!("{NEAR}{site}"));
    let files = kept.path().join("bucket/town");
    broken_everywhere(&stack, far, &files, &["killed", "cut", "deaf"]);
}

const PASS: &str = "a secret of s3";

#[test]
fn an_sftp_site_that_is_killed_loses_nothing() {
    let what = "an SFTP site that is killed in the middle";
    let Some(lab) = docker_or_skip(what) else { return };
    let sshd = Path::new("/usr/sbin/sshd");
    if !sshd.is_file() {
        return skip("sshd", what, "it is not installed");
    }
    let kept = tempfile::tempdir().unwrap();
    let at = kept.path();
    for name in ["host", "user"] {
        let mut key = Command::new("ssh-keygen");
        key.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(at.join(name));
        vigie_testkit::lab::run::quiet(&mut key).unwrap();
    }
    std::fs::copy(at.join("user.pub"), at.join("authorized")).unwrap();
    let port = free_port().unwrap();
    let line = Line::to(port);
    let key = std::fs::read_to_string(at.join("host.pub")).unwrap();
    std::fs::write(at.join("known"), format!("[127.0.0.1]:{} {key}", line.port)).unwrap();
    // The machine's own service makes this when it starts; ours is not that service.
    let _ = std::fs::create_dir("/run/sshd");
    let here = at.display();
    let text = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {here}/host\nAuthorizedKeysFile {here}/authorized\n\
         StrictModes no\nPidFile none\nUsePAM no\nPasswordAuthentication no\n\
         PermitRootLogin prohibit-password\nMaxStartups 100\nSubsystem sftp internal-sftp\n"
    );
    std::fs::write(at.join("config"), text).unwrap();
    let mut command = Command::new(sshd);
    command.arg("-D").arg("-f").arg(at.join("config"));
    let port_of_line = line.port;
    let far = Far { server: Server::start(command, port), line };
    let stack = standing(&lab, "it-killed-sftp");
    configure(&stack, "near.toml", NEAR);
    let user = vigie_testkit::lab::run::text(Command::new("id").arg("-un")).unwrap();
    let site = format!(
        "[backup.site.far]\nsftp = {{ host = \"127.0.0.1\", port = {port_of_line}, user = \"{user}\", path = \
         \"{here}/repo\", key_file = \"{here}/user\", known_hosts = \"{here}/known\" }}\n"
    );
    configure(&stack, "vigie.toml", &format!("{NEAR}{site}"));
    broken_everywhere(&stack, far, &at.join("repo"), &["killed"]);
}
