//! Links between documents lead somewhere.

use super::Finding;
use super::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, text) in tree.with_extension("md") {
        let mut in_code = false;
        for (index, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                in_code = !in_code;
            }
            if in_code {
                continue;
            }
            for target in targets(line) {
                if !leads_somewhere(tree, path, target) {
                    let what = format!("the link to {target} leads nowhere");
                    found.push(Finding::new(path, index + 1, what));
                }
            }
        }
    }
    found
}

/// What stands in `](…)`, outside of inline code.
fn targets(line: &str) -> Vec<&str> {
    let mut targets = Vec::new();
    for text in line.split('`').step_by(2) {
        let mut rest = text;
        while let Some((_, after)) = rest.split_once("](") {
            let Some((target, end)) = after.split_once(')') else { break };
            targets.extend(target.split_whitespace().next());
            rest = end;
        }
    }
    targets
}

fn leads_somewhere(tree: &Tree, from: &str, target: &str) -> bool {
    if target.contains("://") || target.starts_with("mailto:") || target.starts_with('#') {
        return true;
    }
    let file = target.split(['#', '?']).next().unwrap_or_default();
    let dir = from.rsplit_once('/').map_or("", |(dir, _)| dir);
    resolve(dir, file).is_some_and(|path| tree.has(&path))
}

/// The path from the root, or nothing when it leads out of the project.
fn resolve(dir: &str, target: &str) -> Option<String> {
    let (dir, target) = match target.strip_prefix('/') {
        Some(rest) => ("", rest),
        None => (dir, target),
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in dir.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guide(text: &str) -> Vec<Finding> {
        check(&Tree::of(&[("docs/guide/a.md", text), ("README.md", ""), ("docs/b.md", "")]))
    }

    #[test]
    fn links_that_lead_somewhere() {
        assert!(
            guide(
                "[r](../../README.md) [b](../b.md#top) [d](../) [h](https://x.example) [t](#t)\n"
            )
            .is_empty()
        );
        assert!(guide("`[not](a-link.md)`\n```\n[nor](this.md)\n```\n").is_empty());
    }

    #[test]
    fn links_that_lead_nowhere() {
        let found =
            guide("ok\n[a](gone.md) and [b](../../../etc/passwd)\n![c](img.png \"title\")\n");
        assert_eq!(found.len(), 3);
        assert_eq!((found[0].line, found[2].line), (2, 3));
    }
}
