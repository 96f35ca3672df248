//! Images to a real registry and back, with a login.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use vigie::runtime::docker::{Docker, DockerConfig, Logins, Transfer};
use vigie_testkit::lab::{Lab, docker_or_skip, free_port, skip};

const PROGRAM: &str = "/usr/bin/docker-registry";
/// `a-pass-word`, as the registry keeps it.
const HASHED: &str = "$2b$04$WXcy1BURylxlYkDutVtB8epmB.P/IJDackm5F17OAMhPFuQU1fFO2";
const LOGIN: &str = "ada:a-pass-word";

/// A registry on a port of its own.
struct Registry {
    directory: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
}

impl Registry {
    fn new() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let port = free_port()?;
        let at = directory.path();
        let config = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {root}/data\nhttp:\n  addr: 127.0.0.1:{port}\n\
             auth:\n  htpasswd:\n    realm: lab\n    path: {root}/users\n",
            root = at.display()
        );
        std::fs::write(at.join("config.yml"), config)?;
        std::fs::write(at.join("users"), format!("ada:{HASHED}\n"))?;
        Ok(Self { directory, port, child: None })
    }

    fn start(&mut self) -> Result<()> {
        let mut command = Command::new(PROGRAM);
        command.arg("serve").arg(self.directory.path().join("config.yml"));
        self.child = Some(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
        Ok(())
    }

    fn image(&self) -> String {
        format!("127.0.0.1:{}/team/game:v1.0-base", self.port)
    }

    fn logins(&self, name: &str, login: &str) -> Result<Logins> {
        use base64::Engine as _;
        let directory = self.directory.path().join(name);
        std::fs::create_dir_all(&directory)?;
        let encoded = base64::engine::general_purpose::STANDARD.encode(login);
        let auths =
            format!("{{\"auths\": {{\"127.0.0.1:{}\": {{\"auth\": \"{encoded}\"}}}}}}", self.port);
        std::fs::write(directory.join("config.json"), auths)?;
        Ok(Logins::at(&directory))
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn runtime(lab: &Lab) -> Result<Docker> {
    Ok(Docker::connect(DockerConfig {
        host: Some(lab.docker().host().to_owned()),
        compose_file: None,
        project: None,
        directory: PathBuf::from("/"),
        services: Vec::new(),
    })?)
}

async fn there_and_back(lab: &Lab) -> Result<()> {
    let mut registry = Registry::new()?;
    let (runtime, image) = (runtime(lab)?, registry.image());
    lab.docker().text(["tag", lab.practice_image()?, &image])?;
    let good = registry.logins("good", LOGIN)?;
    let mut moved: Vec<Transfer> = Vec::new();
    // It is not there yet when the push begins: that may pass.
    let pushed = async {
        tokio::join!(runtime.push(&image, &good, |transfer| moved.push(transfer)), async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            registry.start()
        })
    };
    let (pushed, started) = pushed.await;
    started?;
    let digest = pushed.context("pushing")?;
    ensure!(digest.starts_with("sha256:") && digest.len() == 71, "{digest}");
    let most = moved.iter().map(|one| one.done).max();
    ensure!(most.is_some_and(|bytes| bytes > 100_000), "no progress: {moved:?}");
    let bad = registry.logins("bad", "ada:another-word")?;
    let refused = runtime.push(&image, &bad, drop).await.err().context("a wrong password")?;
    let said = refused.to_string();
    ensure!(said.contains("docker login") && !said.contains("another-word"), "{said}");
    lab.docker().text(["rmi", &image])?;
    ensure!(!lab.docker().has_image(&image), "it is still here");
    let pulled = runtime.pull(&image, &good, drop).await.context("pulling")?;
    ensure!(pulled == digest && lab.docker().has_image(&image), "{pulled}, not {digest}");
    // The registry has something else under the name by now.
    lab.docker().text(["rmi", &image])?;
    let absent = image.replace("v1.0-base", "v9.9");
    let missing = runtime.pull(&absent, &good, drop).await;
    ensure!(missing.is_err(), "{missing:?}");
    Ok(())
}

#[test]
fn an_image_goes_to_a_registry_and_comes_back() {
    const WHAT: &str = "an image in a registry";
    let Some(lab) = docker_or_skip(WHAT) else { return };
    if !Path::new(PROGRAM).exists() {
        return skip("docker-registry", WHAT, "the package is not installed");
    }
    tokio::runtime::Runtime::new().unwrap().block_on(there_and_back(&lab)).unwrap();
}
