//! Containers of the reference stack against their compose file, with both generations of Compose: a
//! fresh one says nothing, and each change is named.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use vigie::runtime::Runtime;
use vigie::runtime::docker::{Docker, DockerConfig, DockerService};
use vigie_testkit::lab::{ComposeVersion, Lab, Stack, docker_or_skip, facts_or_skip};

use crate::docker::{INNER, in_its_own_process};

const RECREATED: &str = "`docker compose up -d` would make it afresh";
const KEPT: &str = "`docker compose up -d` would leave it as it is";

/// A stack that runs, and the way to look at it.
struct Subject {
    stack: Stack,
    runtime: Docker,
    file: String,
    env: String,
}

impl Subject {
    fn start(lab: &Lab, compose: ComposeVersion) -> Result<Self> {
        let spec = lab.with_database(lab.stack("drift")?.compose(compose))?;
        let stack = lab.start(spec)?;
        let service = |name: &str, container: &str, has_dependencies| DockerService {
            name: name.into(),
            container: Some(container.into()),
            has_dependencies,
        };
        let runtime = Docker::connect(DockerConfig {
            host: Some(stack.docker().host().to_owned()),
            compose_file: Some(stack.dir().join("docker-compose.yml")),
            project: None,
            directory: stack.dir().to_owned(),
            services: vec![
                service("gmod", &stack.spec.game_container, true),
                service("mysql", &stack.spec.database_container, false),
            ],
        })?;
        let read = |name: &str| std::fs::read_to_string(stack.dir().join(name));
        let (file, env) = (read("docker-compose.yml")?, read(".env")?);
        Ok(Self { stack, runtime, file, env })
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        Ok(std::fs::write(Path::new(self.stack.dir()).join(name), text)?)
    }

    /// What is said with one change of the compose file, which is taken back.
    async fn with(&self, from: &str, to: &str) -> Result<Vec<String>> {
        ensure!(self.file.contains(from), "the file has no {from}");
        self.write("docker-compose.yml", &self.file.replacen(from, to, 1))?;
        let said = self.runtime.drift("gmod").await.with_context(|| format!("{from} > {to}"))?;
        self.write("docker-compose.yml", &self.file)?;
        Ok(said)
    }

    async fn says(&self, from: &str, to: &str, wanted: &str) -> Result<()> {
        let said = self.with(from, to).await?;
        ensure!(said.len() == 2 && said[0] == wanted, "{from} > {to}: {said:?}");
        ensure!(said[1].starts_with(RECREATED), "{said:?}");
        Ok(())
    }

    async fn is_quiet(&self) -> Result<()> {
        for service in ["gmod", "mysql"] {
            let said = self.runtime.drift(service).await?;
            ensure!(said.is_empty(), "nothing has changed on {service}, and yet: {said:?}");
        }
        Ok(())
    }

    async fn all(&self) -> Result<()> {
        self.is_quiet().await?;
        let (ports, container) = (self.stack.spec.ports, &self.stack.spec.game_container);
        let image = &self.stack.spec.game_image;
        self.says(
            "GAMEMODE: darkrp",
            "GAMEMODE: sandbox",
            "the variable GAMEMODE is darkrp instead of sandbox",
        )
        .await?;
        self.says("      MAP: gm_construct\n", "", "the variable MAP is not in the compose file")
            .await?;
        self.says("      MAP:", "      NEW: x\n      MAP:", "the variable NEW is missing").await?;
        self.says(
            &format!("image: {image}"),
            "image: vigie-lab/other:v2",
            &format!("it runs the image {image} instead of vigie-lab/other:v2"),
        )
        .await?;
        self.says(
            "mem_limit: 256m",
            "mem_limit: 300m",
            "the memory limit is 256MiB instead of 300MiB",
        )
        .await?;
        self.says("cpus: 1", "cpus: 0.5", "the CPU limit is 1 instead of 0.5").await?;
        self.says("    cpus: 1\n", "", "the CPU limit is 1 and should not be there").await?;
        self.says(
            "      - ./download:/home/gmod/server/garrysmod/download\n",
            "",
            "what is mounted at /home/gmod/server/garrysmod/download is not in the compose file",
        )
        .await?;
        self.says(
            "garrysmod/addons\n",
            "garrysmod/addons:ro\n",
            "what is mounted at /home/gmod/server/garrysmod/addons can be written and should not be",
        )
        .await?;
        let said = self.with("- ./addons:", "- ./download:").await?;
        ensure!(said[0].contains("/addons is mounted at /home/gmod/server/"), "{said:?}");
        self.says(
            "    restart: \"no\"\n",
            "    restart: on-failure:3\n",
            "the restart policy is no instead of on-failure:3",
        )
        .await?;
        self.says(
            "    init: true\n",
            "    init: true\n    stop_grace_period: 1m30s\n",
            "it is given 10 s for its end instead of 90 s",
        )
        .await?;
        let game = ports.game;
        self.says(
            &format!("127.0.0.1:{game}:27015/udp"),
            &format!("{game}:27015/udp"),
            &format!("the port 27015/udp is published at 127.0.0.1:{game} instead of {game}"),
        )
        .await?;
        // Something that is not compared one by one.
        let said = self.with("    init: true\n", "    init: false\n").await?;
        ensure!(said.len() == 1 && said[0].contains("has changed since it was made"), "{said:?}");
        self.a_secret_is_only_said_to_differ().await?;
        self.is_quiet().await?;
        self.what_somebody_changes_in_the_container_is_told(container).await?;
        self.another_image_under_the_name_is_told().await
    }

    async fn a_secret_is_only_said_to_differ(&self) -> Result<()> {
        let changed = self.env.replace("RCON_PASSWORD=", "RCON_PASSWORD=another-");
        self.write(".env", &changed)?;
        let said = self.runtime.drift("gmod").await?;
        self.write(".env", &self.env)?;
        ensure!(
            said.first().is_some_and(|it| it == "the variable RCON_PASSWORD differs"),
            "{said:?}"
        );
        ensure!(!said.concat().contains(&self.stack.secrets.rcon), "a password was told");
        Ok(())
    }

    async fn what_somebody_changes_in_the_container_is_told(&self, container: &str) -> Result<()> {
        let docker = self.stack.docker();
        docker.text(["update", "--restart", "always", container])?;
        let said = self.runtime.drift("gmod").await?;
        ensure!(said.len() == 2 && said[1].starts_with(KEPT), "{said:?}");
        ensure!(said[0] == "the restart policy is always instead of no", "{said:?}");
        // And Compose does leave it.
        let before = docker.inspect(container)?["Id"].clone();
        self.stack.up()?;
        ensure!(docker.inspect(container)?["Id"] == before, "Compose has made it afresh");
        self.runtime.up("gmod", true).await?;
        ensure!(docker.inspect(container)?["Id"] != before, "it was not made afresh");
        self.is_quiet().await
    }

    async fn another_image_under_the_name_is_told(&self) -> Result<()> {
        let docker = self.stack.docker();
        let name = format!("vigie-lab/{}:v1", self.stack.spec.project);
        docker.text(["tag", &self.stack.spec.game_image, &name])?;
        let file = self.file.replacen(&self.stack.spec.game_image, &name, 1);
        self.write("docker-compose.yml", &file)?;
        self.stack.up()?;
        self.runtime.restart("gmod", true).await.ok();
        let quiet = self.runtime.drift("gmod").await?;
        let id = docker.text(["commit", &self.stack.spec.database_container, &name])?;
        let said = self.runtime.drift("gmod").await;
        self.stack.down()?;
        docker.text(["rmi", "-f", &name, id.trim()])?;
        ensure!(quiet.is_empty(), "nothing has changed, and yet: {quiet:?}");
        let said = said?;
        ensure!(said[0].contains("now names another image"), "{said:?}");
        ensure!(said[1].starts_with(RECREATED), "{said:?}");
        Ok(())
    }
}

fn test(name: &str, lab: &Lab, compose: ComposeVersion) -> Result<()> {
    if std::env::var_os(INNER).is_none() {
        return in_its_own_process(&format!("drift::{name}"), lab, compose);
    }
    let subject = Subject::start(lab, compose)?;
    tokio::runtime::Runtime::new()?.block_on(subject.all())
}

#[test]
fn each_change_is_named() {
    let Some(lab) = docker_or_skip("what differs from the compose file") else { return };
    test("each_change_is_named", &lab, ComposeVersion::V2).unwrap();
}

#[test]
fn each_change_is_named_with_the_old_compose() {
    let Some(lab) = docker_or_skip("what differs, with Compose v1") else { return };
    let program =
        facts_or_skip("docker-compose", "what differs, with it", |facts| facts.compose_v1);
    if program.is_none() {
        return;
    }
    test("each_change_is_named_with_the_old_compose", &lab, ComposeVersion::V1).unwrap();
}
