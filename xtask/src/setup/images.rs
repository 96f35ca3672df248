//! Puts images into an engine without any registry.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use vigie_testkit::lab::{Docker, Facts, run};

/// Marks images of the lab; its value is a hash of what they were made from.
const LABEL: &str = "vigie.lab.content";

/// Name of the practice server's image.
const PRACTICE: &str = "vigie-lab/practice:latest";

/// Makes the practice server's image from its program.
pub(super) fn practice(docker: &Docker, facts: &mut Facts) -> Result<String> {
    let program = facts.practice_bin.clone().context("the practice server was not built")?;
    let bytes = fs::read(&program).with_context(|| format!("cannot read {program:?}"))?;
    let content = fingerprint(&bytes);
    facts.practice_image = Some(PRACTICE.to_owned());
    if content_of(docker, PRACTICE).as_deref() == Some(&content) {
        return Ok("in the engine".into());
    }
    let tar = one_file_tar(&program, "vigie-practice")?;
    let mut import = docker.command();
    import.args(["import", "--change", "ENTRYPOINT [\"/vigie-practice\"]"]);
    import.args(["--change", "EXPOSE 27015/tcp", "--change", "EXPOSE 27015/udp"]);
    import.args(["--change", &format!("LABEL {LABEL}={content}"), "-", PRACTICE]);
    run::feed(&mut import, &tar)?;
    Ok("made".into())
}

/// A tar archive with one executable file at its root.
fn one_file_tar(program: &Path, name: &str) -> Result<Vec<u8>> {
    let dir = program.parent().context("a program without a directory")?;
    let file = program.file_name().context("a program without a name")?;
    let mut tar = Command::new("tar");
    tar.arg("--create").arg("--directory").arg(dir);
    tar.args(["--owner=0", "--group=0", "--mode=755", "--dereference"]);
    tar.arg(format!("--transform=s,.*,{name},")).arg(file);
    let out = run::output(&mut tar)?;
    if !out.status.success() {
        bail!("tar failed: {}", String::from_utf8_lossy(&out.stderr).trim_end());
    }
    Ok(out.stdout)
}

/// Builds `image` from `base` with one more file, which becomes its entry point.
pub(super) fn with_entrypoint(
    docker: &Docker,
    base: &str,
    image: &str,
    script: &str,
) -> Result<()> {
    let dir = std::env::temp_dir().join(format!("vigie-image-{}", std::process::id()));
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {dir:?}"))?;
    let file = dir.join("entrypoint");
    let content = made_of(base, script);
    let recipe = format!(
        "FROM {base}\nCOPY entrypoint /usr/local/bin/lab-entrypoint\n\
         ENTRYPOINT [\"/usr/local/bin/lab-entrypoint\"]\nLABEL {LABEL}={content}\nEXPOSE 3306\n"
    );
    let written = fs::write(&file, script)
        .and_then(|()| fs::set_permissions(&file, fs::Permissions::from_mode(0o755)))
        .and_then(|()| fs::write(dir.join("Dockerfile"), recipe))
        .with_context(|| format!("cannot write into {dir:?}"));
    let dir_text = dir.to_string_lossy().into_owned();
    let built = written.and_then(|()| docker.text(["build", "--quiet", "--tag", image, &dir_text]));
    let _ = fs::remove_dir_all(&dir);
    built.map(drop)
}

/// The fingerprint of an image that [`with_entrypoint`] makes.
pub(super) fn made_of(base: &str, script: &str) -> String {
    fingerprint(format!("{base}\n{script}").as_bytes())
}

/// What the image was made from, when the engine has it and it is one of the lab's.
pub(super) fn content_of(docker: &Docker, image: &str) -> Option<String> {
    let format = format!("{{{{index .Config.Labels \"{LABEL}\"}}}}");
    docker.text(["image", "inspect", "--format", &format, image]).ok().filter(|l| !l.is_empty())
}

/// Whether the name is free in this engine or belongs to an image of the lab.
fn is_from_the_lab(docker: &Docker, image: &str) -> bool {
    !docker.has_image(image) || content_of(docker, image).is_some()
}

/// Gives an image of the lab another name; an image that someone else made under it is not touched.
pub(crate) fn tag(docker: &Docker, image: &str, name: &str) -> Result<()> {
    if !is_from_the_lab(docker, name) {
        bail!(
            "this engine has an image {name} that the lab did not make; use another engine (set DOCKER_HOST)"
        );
    }
    docker.text(["tag", image, name]).map(drop)
}

/// A hash that changes when the bytes do; good for a cache, not against anyone.
pub(super) fn fingerprint(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
