//! Decides on which commit a Lua error is blamed, and whether vigie may offer to take that commit
//! back. Never asks git itself.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What is older than this is not taken back by vigie: the error came with something else.
pub const YOUNG: Duration = Duration::from_secs(24 * 60 * 60);

/// The commit that an error is blamed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspect {
    /// Its full hash.
    pub commit: String,
    /// When and by whom it was made, and its subject, made printable.
    pub subject: String,
    /// The repository's directory on this host.
    pub repository: String,
    /// The guilty file, relative to the repository.
    pub file: String,
    /// The last commits that touched the file, newest first, made printable.
    #[serde(default)]
    pub log: Vec<String>,
    /// What the commit changed in the file, line by line, made printable and without secrets.
    #[serde(default)]
    pub diff: Vec<String>,
    /// Why vigie does not offer to take it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obstacle: Option<String>,
}

/// What git says of a commit and of the place it would be taken back in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// Time since it was made; negative times are none.
    pub age: Duration,
    /// Its parents.
    pub parents: usize,
    /// Files of the repository that are changed and not committed.
    pub uncommitted: usize,
    /// What somebody has begun there and not finished: a merge, a rebase, a revert.
    pub under_way: Option<String>,
    /// The branch that is checked out, where one is.
    pub branch: Option<String>,
    /// Whether it was taken back already by a later commit.
    pub reverted: bool,
}

/// Why a commit is not to be taken back by vigie, in one line; nothing where it may be.
#[must_use]
pub fn obstacle(facts: &Facts) -> Option<String> {
    if let Some(what) = &facts.under_way {
        return Some(format!("a {what} is under way in its repository"));
    }
    if facts.branch.is_none() {
        return Some(String::from("no branch is checked out in its repository"));
    }
    match facts.uncommitted {
        0 => {}
        1 => return Some(String::from("a file of its repository is not committed")),
        count => return Some(format!("{count} files of its repository are not committed")),
    }
    if facts.reverted {
        return Some(String::from("it was taken back already"));
    }
    match facts.parents {
        1 => {}
        0 => return Some(String::from("it is the first commit of its repository")),
        _ => return Some(String::from("it is a merge")),
    }
    (facts.age >= YOUNG).then(|| {
        let hours = facts.age.as_secs() / 3600;
        format!("it is {hours} h old, and only what is younger than 24 h is taken back")
    })
}

/// Where on this host the file of an error may be, most likely first. A console names files below the
/// game's directory (`addons/x/lua/y.lua`); `mounts` are directories of this host and where the
/// container has them (`/home/gmod/server/garrysmod/addons`).
#[must_use]
pub fn places(file: &str, mounts: &[(String, String)]) -> Vec<String> {
    let parts: Vec<&str> = file.split('/').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() || parts.iter().any(|part| matches!(*part, "." | "..")) {
        return Vec::new();
    }
    let mut found: Vec<(usize, String)> = Vec::new();
    for (here, there) in mounts {
        let target: Vec<&str> = there.split('/').filter(|part| !part.is_empty()).collect();
        // The longest beginning of the file's path that the mount's target ends with; none of it
        // where the mount is the game's directory itself.
        let longest = (1..parts.len()).rev().find(|count| target.ends_with(&parts[..*count]));
        let shared = longest.unwrap_or(0);
        let here = here.trim_end_matches('/');
        found.push((shared, format!("{here}/{}", parts[shared..].join("/"))));
    }
    found.sort_by_key(|(shared, _)| std::cmp::Reverse(*shared));
    found.into_iter().map(|(_, place)| place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fine() -> Facts {
        Facts { parents: 1, branch: Some(String::from("main")), ..Facts::default() }
    }

    #[test]
    fn only_what_is_safe_is_taken_back() {
        assert_eq!(obstacle(&fine()), None);
        let day = YOUNG - Duration::from_secs(1);
        assert_eq!(obstacle(&Facts { age: day, ..fine() }), None);
        for (facts, why) in [
            (Facts { age: YOUNG, ..fine() }, "24 h old"),
            (Facts { parents: 2, ..fine() }, "a merge"),
            (Facts { parents: 0, ..fine() }, "the first commit"),
            (Facts { uncommitted: 1, ..fine() }, "a file of"),
            (Facts { uncommitted: 3, ..fine() }, "3 files"),
            (Facts { branch: None, ..fine() }, "no branch"),
            (Facts { reverted: true, ..fine() }, "already"),
            (Facts { under_way: Some(String::from("rebase")), ..fine() }, "a rebase"),
        ] {
            let said = obstacle(&facts).unwrap_or_default();
            assert!(said.contains(why), "{facts:?}: {said}");
        }
    }

    #[test]
    fn a_file_of_the_console_is_found_through_the_mounts() {
        let mount = |here: &str, there: &str| (here.to_owned(), there.to_owned());
        let server = "/home/gmod/server/garrysmod";
        let mounts = [
            mount("/srv/game", server),
            mount("/srv/addons/", &format!("{server}/addons")),
            mount("/srv/addons/patch", &format!("{server}/addons/patch")),
        ];
        let found = places("addons/patch/lua/a.lua", &mounts);
        assert_eq!(
            found,
            [
                "/srv/addons/patch/lua/a.lua",
                "/srv/addons/patch/lua/a.lua",
                "/srv/game/addons/patch/lua/a.lua"
            ]
        );
        assert_eq!(places("gamemodes/x/init.lua", &mounts)[0], "/srv/game/gamemodes/x/init.lua");
        for outside in ["../../etc/passwd", "addons/../../x.lua", "", "/"] {
            assert_eq!(places(outside, &mounts), Vec::<String>::new(), "{outside}");
        }
    }
}
