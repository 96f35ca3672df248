//! Restore points as a part of the backups, on a real engine with the reference stack: they are kept with
//! their images, dumps and volumes, survive the loss of what is beside the stack, and can be gone back to
//! then; a site that is read shows what they are.

use std::fs;

use vigie_backup::Repository;
use vigie_testkit::lab::docker_or_skip;

use crate::snapshot::{World, begun, fine, json, run};

const PASSWORD: &str = "correct horse battery staple";

fn parts(site: &Repository) -> usize {
    let all = site.snapshots().unwrap();
    all.iter().filter(|(_, label, _)| label.starts_with("part:")).count()
}

/// Removes every pack, and says how many there were.
fn lose_packs(at: &std::path::Path) -> usize {
    let shelves = fs::read_dir(at).unwrap().map(|shelf| shelf.unwrap().path());
    let packs = shelves.flat_map(|shelf| fs::read_dir(shelf).unwrap());
    packs.map(|pack| fs::remove_file(pack.unwrap().path()).unwrap()).count()
}

/// `vigie snapshot list`, without what is told of the moment it is asked.
fn listed(stack: &vigie_testkit::lab::Stack) -> Vec<(String, String)> {
    let all = json(stack, &["snapshot", "list", "--json"]);
    let told = |one: &serde_json::Value| {
        (one["name"].as_str().unwrap().to_owned(), one["size"].to_string())
    };
    all.as_array().unwrap().iter().map(told).collect()
}

#[test]
fn points_come_back_from_a_site_and_can_be_gone_back_to() {
    let Some(lab) = docker_or_skip("restore points from a backup") else { return };
    let (stack, images) = begun(&lab, "it-points");
    let world = World::new(&stack);
    let directory = stack.dir();
    fs::write(directory.join("password"), PASSWORD).unwrap();
    let config = directory.join("vigie.toml");
    let text = fs::read_to_string(&config).unwrap();
    let backup = format!(
        "{text}\n[backup]\npassword = {{ file = \"password\" }}\nexclude = [\"stack\"]\n\
         [backup.site.disk]\nlocal = \"repo\"\n[backup.site.other]\nlocal = \"other\"\n\
         [backup.keep]\nhourly = 0\ndaily = 0\nmonthly = 0\n"
    );
    fs::write(&config, backup).unwrap();
    fine(&stack, &["backup", "init"]);
    // Nothing is called so before there is one.
    let (code, said) = run(&stack, &["backup", "run", "points"]);
    assert!(code == Some(4) && said.contains("vigie snapshot create"), "{said}");

    world.change("old");
    fine(&stack, &["snapshot", "create", "v1.0-old"]);
    world.change("new");
    fine(&stack, &["snapshot", "create", "v1.1-new", "--note", "a word"]);
    let before = listed(&stack);
    let said = fine(&stack, &["backup", "run", "points"]);
    assert!(said.contains("points"), "{said}");
    let site = Repository::open(&directory.join("repo"), PASSWORD).unwrap();
    let count = parts(&site);
    assert!(count >= 8, "{count}");
    // What is there is not sent again.
    fine(&stack, &["backup", "run", "points"]);
    let all = json(&stack, &["backup", "list", "points", "--json"]);
    assert!(all[0]["added"].as_u64().unwrap() < 200_000, "{all}");
    assert_eq!(all[0]["points"], serde_json::json!(["v1.0-old", "v1.1-new"]));
    assert_eq!(parts(&site), count);
    site.check().unwrap();
    let shown = fine(&stack, &["backup", "show", "points"]);
    assert!(shown.contains("v1.0-old") && shown.contains("v1.1-new"), "{shown}");
    // Other assets were never kept, which is a finding.
    let (_, table) = run(&stack, &["redundancy", "--json"]);
    let table: serde_json::Value = serde_json::from_str(&table).unwrap();
    let row = table.as_array().unwrap().iter().find(|row| row["asset"] == "points");
    let row = row.expect("a row for restore points");
    assert_eq!(row["copies"].as_array().unwrap().len(), 3, "{row}");
    let drilled = fine(&stack, &["backup", "drill", "points"]);
    assert!(drilled.contains("v1.1-new: ") && drilled.contains("2 restore points"), "{drilled}");

    let one = directory.join("one");
    let to = one.to_str().unwrap();
    fine(&stack, &["backup", "restore", "points:v1.0-old", "--to", to]);
    let inside = one.join("v1.0-old");
    assert_eq!(fs::read_to_string(inside.join("files-addons/word.txt")).unwrap(), "old");
    let dump = fs::read_dir(&inside).unwrap().map(|one| one.unwrap().path());
    let dump = dump.filter(|path| path.extension().is_some_and(|end| end == "sql"));
    let dump: Vec<_> = dump.collect();
    assert!(fs::read_to_string(&dump[0]).unwrap().contains("old"), "{dump:?}");
    assert!(!one.join("v1.1-new").exists());

    // All that is beside the stack is lost: the points, and their images.
    fs::remove_dir_all(directory.join(".vigie/points")).unwrap();
    for tag in ["v1.0-old", "v1.1-new"] {
        stack.docker().text(["rmi", &format!("{}:{tag}", images.repository)]).unwrap();
    }
    assert!(listed(&stack).is_empty());
    let (code, said) = run(&stack, &["backup", "run", "points"]);
    assert!(code == Some(1) && said.contains("the last backup has v1.0-old, v1.1-new"), "{said}");
    // Another image has the name of one by now, and keeps it.
    let taken = format!("{}:v1.1-new", images.repository);
    stack.docker().text(["tag", &stack.spec.game_image, &taken]).unwrap();
    let restore = ["backup", "restore", "points", "--in-place", "--yes", "--site", "other"];
    let said = fine(&stack, &restore);
    assert!(said.contains("v1.0-old") && said.contains("v1.1-new"), "{said}");
    assert!(said.contains(&format!("{taken} names another image by now")), "{said}");
    assert_eq!(listed(&stack), before);
    let id = |name: &str| stack.docker().text(["image", "inspect", "-f", "{{.Id}}", name]).unwrap();
    assert_eq!(id(&taken), id(&stack.spec.game_image));
    // Again: everything was there. What only one has lost comes back to it.
    let said = fine(&stack, &restore);
    assert!(said.contains("v1.0-old (was there)"), "{said}");
    fs::remove_dir_all(directory.join(".vigie/points/repository")).unwrap();
    fine(&stack, &["backup", "restore", "points:v1.0-old", "--in-place", "--yes"]);
    // The other one is incomplete: the next backup says so, and does not forget it.
    let said = fine(&stack, &["backup", "run", "points"]);
    assert!(said.contains("v1.1-new has lost") && !said.contains("v1.0-old has lost"), "{said}");
    fine(&stack, &restore);
    // Packs that are gone are not only a matter of what is listed.
    let packs = lose_packs(&directory.join(".vigie/points/repository/data"));
    assert!(packs > 0);
    let said = fine(&stack, &restore);
    assert!(said.contains("it was damaged: ") && said.contains("(was there)"), "{said}");

    let said = fine(&stack, &["snapshot", "rollback", "v1.0-old", "--yes"]);
    assert_eq!(world.read(), ["old"; 5], "{said}");
    // The way back was made before, and is kept with the next backup.
    fine(&stack, &["backup", "run", "points"]);
    assert!(parts(&site) > count);

    // A point that is gone here goes from the sites with its last backup.
    fine(&stack, &["snapshot", "prune", "v1.1-new"]);
    assert_eq!(id(&taken), id(&stack.spec.game_image), "a name that is not the point's");
    let said = fine(&stack, &["backup", "run", "points"]);
    assert!(said.contains("v1.1-new is not here any more"), "{said}");
    let many = parts(&site);
    fine(&stack, &["backup", "prune", "--site", "disk"]);
    assert!(parts(&site) < many, "{} of {many}", parts(&site));
    site.check().unwrap();
    fine(&stack, &["backup", "drill", "points"]);
}
