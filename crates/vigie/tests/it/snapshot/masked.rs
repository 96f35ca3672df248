//! A volume over the directory that an image is about hides every image behind it. That is said, and
//! the volume goes back with the image.

use super::*;

/// Where the image has its files, and the volume lies over it.
const CONTENT: &str = "/home/gmod/server";

/// An image like the practice server's that begins in [`CONTENT`] and has `word` there.
fn with_content(images: &Images, from: &str, tag: &str, word: &str) -> String {
    let docker = &images.docker;
    let name = format!("{}:{tag}", images.repository);
    let container = docker.text(["create", from]).unwrap();
    let room = tempfile::tempdir().unwrap();
    let server = room.path().join("home/gmod/server");
    std::fs::create_dir_all(&server).unwrap();
    std::fs::write(server.join("map.txt"), word).unwrap();
    let target = format!("{container}:/");
    docker.text(["cp", room.path().join("home").to_str().unwrap(), &target]).unwrap();
    let change = format!("WORKDIR {CONTENT}");
    docker.text(["commit", "--change", &change, &container, &name]).unwrap();
    docker.text(["rm", &container]).unwrap();
    name
}

#[test]
fn a_volume_that_hides_the_image_goes_back_with_it_and_that_is_said() {
    let Some(lab) = docker_or_skip("a volume over the image's directory") else { return };
    let (mut spec, images) = own(&lab, "it-masked");
    let lab_image = spec.game_image.clone();
    spec.game_image = with_content(&images, &lab_image, "v0.10-first", "first");
    let other = with_content(&images, &lab_image, "jour1", "other");
    let stack = started(lab.start(spec).unwrap());
    let map = format!("{CONTENT}/map.txt");
    // A new volume begins with what the image has there.
    assert_eq!(cat(&stack, &map), "first");
    let volume = format!("{}_gmod-server-data", stack.spec.project);

    let told = fine(&stack, &["snapshot", "create", "v1.0-first"]);
    let note = format!("the volume {volume} hides {CONTENT} of the image");
    assert!(told.contains(&note), "{told}");
    cp(&stack, "second", &map);
    let plan =
        fine(&stack, &["snapshot", "rollback", "v1.0-first", "--only", "image", "--dry-run"]);
    let with =
        format!("the volume {volume} hides the image's files, so it goes back with the image");
    assert!(
        plan.contains(&with) && plan.contains(&format!("exchange the volume {volume}")),
        "{plan}"
    );
    fine(&stack, &["snapshot", "rollback", "v1.0-first", "--only", "image", "--yes"]);
    assert_eq!(cat(&stack, &map), "first", "the volume went with the image");

    // A point without the volume changes nothing that players see: that is said before anybody asks.
    fine(&stack, &["snapshot", "adopt", &other, "v1.5-other"]);
    let plan = fine(&stack, &["snapshot", "rollback", "v1.5-other", "--dry-run"]);
    let note = format!(
        "the volume {volume} hides {CONTENT} of the image, and v1.5-other does not have it"
    );
    assert!(plan.contains(&note), "{plan}");
    fine(&stack, &["snapshot", "rollback", "v1.5-other", "--yes"]);
    assert_eq!(cat(&stack, &map), "first", "as it was said");
}
