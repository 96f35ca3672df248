//! An image that was tagged by hand becomes a restore point of the image alone; its old tag is its
//! owner's and stays, whatever happens to the point.

use super::*;

const NAME: &str = "v0.10-jour2-stable";

/// The digest of an image.
fn id(images: &Images, tag: &str) -> String {
    let reference = format!("{}:{tag}", images.repository);
    images.docker.text(["image", "inspect", "--format", "{{.Id}}", &reference]).unwrap()
}

fn names(stack: &Stack) -> Vec<String> {
    let points = json(stack, &["snapshot", "list", "--json"]);
    let names = points.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap());
    names.map(str::to_owned).collect()
}

#[test]
fn a_legacy_tag_becomes_a_restore_point_and_stays_a_tag() {
    let Some(lab) = docker_or_skip("a legacy tag as a restore point") else { return };
    let (stack, images) = game_alone(&lab, "it-adopt");
    configure(&stack, "keep_last = 0\nkeep_tagged = []\nkeep_min_age = \"0s\"");
    let old = format!("{}:jour2-stable", images.repository);
    cp(&stack, "then", "/image.txt");
    stack.docker().text(["commit", "--pause=false", &stack.spec.game_container, &old]).unwrap();
    cp(&stack, "now", "/image.txt");

    // Nothing is a restore point yet; what could be one is listed, with its name.
    let told = fine(&stack, &["snapshot", "adopt"]);
    assert!(told.contains(&old) && told.contains(NAME) && told.contains("v0.9-lab"), "{told}");
    let listed = json(&stack, &["snapshot", "adopt", "--json"]);
    assert_eq!(listed[1]["image"], old.as_str(), "the youngest last: {listed:#}");
    let would = json(&stack, &["snapshot", "adopt", &old, "--dry-run", "--json"]);
    assert_eq!((&would["name"], &would["adopted"]), (&NAME.into(), &old.as_str().into()));
    assert_eq!(names(&stack), Vec::<String>::new(), "a dry run changes nothing");
    assert_eq!(tags(&images), ["jour2-stable", "v0.9-lab"]);

    for (arguments, why) in [
        (&["jour7-stable"][..], "with jour2-stable, v0.9-lab"),
        (&["jour2-stable", "--service", "mumble"], "has no service mumble; it has gmod"),
        (&["jour2-stable", "v0.9-lab"], "vigie snapshot adopt"),
        (&["projet/none:x"], "nor any other of projet/none"),
        (&["projet/gmod"], "names no tag"),
        (&["jour2-stable", "Stable"], "write one like v2.3-vehicles"),
    ] {
        let (code, text) = run(&stack, &[&["snapshot", "adopt"], arguments].concat());
        assert_eq!((code, text.contains(why)), (Some(2), true), "{arguments:?}: {text}");
    }

    let told = fine(&stack, &["snapshot", "adopt", "jour2-stable", "--note", "avant MySQL"]);
    assert!(told.contains(NAME) && told.contains("its old tag stays"), "{told}");
    assert_eq!(id(&images, NAME), id(&images, "jour2-stable"));
    let point = &json(&stack, &["snapshot", "list", "--json"])[0];
    assert_eq!(point["images"][0]["id"].as_str().unwrap(), id(&images, "jour2-stable"));
    assert_eq!((&point["added"], &point["note"]), (&0.into(), &"avant MySQL".into()));
    let created = ["image", "inspect", "--format", "{{.Created}}", &old];
    let created = stack.docker().text(created).unwrap();
    assert_eq!(point["made"].as_str().unwrap()[..19], created[..19], "the image's own time");
    let shown = fine(&stack, &["snapshot", "show", NAME]);
    assert!(shown.contains(&format!("taken over from {old}")), "{shown}");

    for (arguments, why) in [
        (&["adopt", "jour2-stable"][..], "is the image of the restore point v0.10-jour2-stable"),
        (&["adopt", "v0.9-lab", NAME], "there is a restore point v0.10-jour2-stable already"),
        (&["create", NAME], "there is a restore point v0.10-jour2-stable already"),
        (&["create", "v0.9-lab"], "is no restore point; take another name, or make it one"),
        (&["create", "v0.9-lab", "--dry-run"], "vigie snapshot adopt vigie-it/"),
    ] {
        let (code, text) = run(&stack, &[&["snapshot"], arguments].concat());
        assert_eq!((code, text.contains(why)), (Some(2), true), "{arguments:?}: {text}");
    }
    let told = fine(&stack, &["snapshot", "create", "--bump", "minor", "next", "--dry-run"]);
    assert!(told.contains("v0.11-next"), "{told}");

    fine(&stack, &["snapshot", "rollback", NAME, "--only", "image", "--yes"]);
    assert_eq!(cat(&stack, "/image.txt"), "then");

    // It runs, so it stays; then it goes, with its own tag and no other.
    let kept = fine(&stack, &["snapshot", "prune", "--dry-run"]);
    let line = |text: &str| text.lines().find(|line| line.starts_with(NAME)).unwrap().to_owned();
    assert!(line(&kept).contains("stays: it runs"), "{kept}");
    let safety = names(&stack).into_iter().find(|name| name.contains("before")).unwrap();
    fine(&stack, &["snapshot", "rollback", &safety, "--yes"]);
    assert_eq!(cat(&stack, "/image.txt"), "now");
    let gone = fine(&stack, &["snapshot", "prune"]);
    assert!(line(&gone).ends_with("goes"), "{gone}");
    let left = tags(&images);
    assert!(left.contains(&String::from("jour2-stable")), "{left:?}");
    assert!(!left.contains(&String::from(NAME)), "{left:?}");
}
