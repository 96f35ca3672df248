//! Does: gives an image that was kept as one archive other names on its way into an engine. Its content is
//! handed on as it is; only the list of names in it is another one.

use std::io::{Cursor, Read, Result as IoResult, Write};

use serde_json::Value;
use vigie_backup::{Error, Repository};

use super::WHOLE;

/// Lists of names are some kilobytes.
const LARGEST: u64 = 16 << 20;
/// Where engines that keep images in the way of the OCI have a name.
const NAMES: [&str; 2] = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];

/// Writes the archive in the snapshot `id` to `to`, as an image that is called `tags` and nothing else.
///
/// # Errors
/// When it cannot be read, is no archive of an image, or `to` does not take it.
pub(in crate::backup) fn write_called(
    repository: &Repository,
    id: &str,
    tags: &[String],
    to: &mut impl Write,
) -> Result<(), Error> {
    let failed = |error| Error::File(WHOLE.into(), error);
    let (mut read, mut write) = std::io::pipe().map_err(failed)?;
    std::thread::scope(|scope| {
        let give = scope.spawn(move || repository.get_file(id, WHOLE, &mut write));
        let renamed = rename(&mut read, tags, to);
        // Whoever still writes is told that nobody reads any more.
        drop(read);
        let given = give.join().unwrap_or_else(|_| {
            let why = String::from("reading it was ended");
            Err(Error::Unreadable { what: format!("the image in {id}"), why })
        });
        match (renamed, given) {
            (Err(error), Ok(()) | Err(Error::File(..))) => Err(failed(error)),
            (_, given) => given,
        }
    })
}

fn rename(from: &mut impl Read, tags: &[String], to: &mut impl Write) -> IoResult<()> {
    let mut archive = tar::Archive::new(&mut *from);
    let mut made = tar::Builder::new(to);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = entry.path()?.to_string_lossy().into_owned();
        let mut header = entry.header().clone();
        let changed = match name.trim_start_matches("./") {
            // The oldest list, which nobody needs beside the other one.
            "repositories" => continue,
            "manifest.json" => Some(named(&read(&mut entry)?, tags)?),
            "index.json" => Some(indexed(&read(&mut entry)?, tags)?),
            _ => None,
        };
        match changed {
            None => {
                // What is larger than 8 GiB may have its size in another header, which is not handed on.
                header.set_size(entry.size());
                header.set_cksum();
                made.append(&header, &mut entry)?;
            }
            Some(bytes) => {
                header.set_size(bytes.len() as u64);
                header.set_cksum();
                made.append(&header, Cursor::new(bytes))?;
            }
        }
    }
    made.into_inner()?.flush()?;
    // What stands behind the end belongs to it.
    std::io::copy(from, &mut std::io::sink()).map(drop)
}

fn read(entry: &mut impl Read) -> IoResult<Value> {
    let mut text = Vec::new();
    entry.take(LARGEST).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

fn named(list: &Value, tags: &[String]) -> IoResult<Vec<u8>> {
    let mut list = list.clone();
    for image in list.as_array_mut().into_iter().flatten() {
        image["RepoTags"] = serde_json::json!(tags);
    }
    Ok(serde_json::to_vec(&list)?)
}

fn indexed(index: &Value, tags: &[String]) -> IoResult<Vec<u8>> {
    let mut index = index.clone();
    for image in index["manifests"].as_array_mut().into_iter().flatten() {
        let Some(notes) = image["annotations"].as_object_mut() else { continue };
        for name in NAMES {
            notes.remove(name);
        }
        if let Some(tag) = tags.first() {
            notes.insert(NAMES[0].to_owned(), Value::from(format!("docker.io/library/{tag}")));
        }
    }
    Ok(serde_json::to_vec(&index)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(members: &[(&str, &str)]) -> Vec<u8> {
        let mut made = tar::Builder::new(Vec::new());
        for (name, text) in members {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            made.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        made.into_inner().unwrap()
    }

    #[test]
    fn only_the_names_are_other_ones() {
        let layer = format!("{}/layer.tar", "a".repeat(64));
        let mut whole = archive(&[
            (&layer, "bytes"),
            ("repositories", "{}"),
            ("manifest.json", r#"[{"Config":"c.json","RepoTags":["town:v1"],"Layers":["l"]}]"#),
            (
                "index.json",
                r#"{"manifests":[{"annotations":{"io.containerd.image.name":"docker.io/library/town:v1",
                    "org.opencontainers.image.ref.name":"v1","x":"y"}},{"digest":"d"}]}"#,
            ),
        ]);
        whole.extend([0; 4096]);
        let read = |tags: &[String]| -> Vec<(String, String)> {
            let mut made = Vec::new();
            let mut from = Cursor::new(&whole);
            rename(&mut from, tags, &mut made).unwrap();
            assert_eq!(from.position(), whole.len() as u64, "it is read to its end");
            let mut archive = tar::Archive::new(&made[..]);
            let entries = archive.entries().unwrap().map(|entry| {
                let mut entry = entry.unwrap();
                let mut text = String::new();
                entry.read_to_string(&mut text).unwrap();
                (entry.path().unwrap().display().to_string(), text)
            });
            entries.collect()
        };
        let found = read(&[String::from("scratch:gmod")]);
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, [layer.as_str(), "manifest.json", "index.json"]);
        assert_eq!(found[0].1, "bytes");
        assert_eq!(
            found[1].1,
            r#"[{"Config":"c.json","Layers":["l"],"RepoTags":["scratch:gmod"]}]"#
        );
        assert!(
            !found[2].1.contains("v1") && found[2].1.contains("library/scratch:gmod"),
            "{found:?}"
        );
        assert!(found[2].1.contains(r#""x":"y""#), "{found:?}");
        assert!(read(&[])[1].1.contains(r#""RepoTags":[]"#));
        let mut broken = Cursor::new(archive(&[("manifest.json", "{")]));
        assert!(rename(&mut broken, &[], &mut Vec::new()).is_err());
    }
}
