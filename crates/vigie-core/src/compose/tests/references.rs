//! Every way in which a compose file can name another file.

use crate::compose::Document;
use crate::compose::references::{Include, env_files, extended, included, sources};

fn read(text: &str) -> Document {
    Document::parse(text).unwrap()
}

#[test]
fn each_way_to_name_a_file_of_variables() {
    let document = read(
        "services:\n  a:\n    env_file: a.env\n  b:\n    env_file:\n      - b.env\n      \
         - path: ./c.env\n        required: false\n  d:\n    image: x\n",
    );
    assert_eq!(env_files(&document), ["a.env", "b.env", "./c.env"]);
    assert_eq!(env_files(&read("")), Vec::<String>::new());
}

#[test]
fn each_way_to_take_in_another_compose_file() {
    let document = read(
        "include:\n  - a.yaml\n  - path: b.yaml\n    env_file: b.env\n  - path: [c.yaml, d.yaml]\n    \
         project_directory: other\n    env_file: [c.env, d.env]\nservices:\n  \
         a: {extends: {file: base.yaml, service: b}}\n  b: {extends: {service: a}}\n  c: {extends: a}\n",
    );
    let include = |paths: &[&str], directory: Option<&str>, env_files: &[&str]| Include {
        paths: paths.iter().map(ToString::to_string).collect(),
        directory: directory.map(str::to_owned),
        env_files: env_files.iter().map(ToString::to_string).collect(),
    };
    let wanted = [
        include(&["a.yaml"], None, &[]),
        include(&["b.yaml"], None, &["b.env"]),
        include(&["c.yaml", "d.yaml"], Some("other"), &["c.env", "d.env"]),
    ];
    assert_eq!(included(&document), wanted);
    assert_eq!(extended(&document), ["base.yaml"]);
}

#[test]
fn configs_and_secrets_may_be_files() {
    let document = read(
        "configs:\n  a: {file: ./a.cfg}\n  b: {content: text}\n  c: {external: true}\nsecrets:\n  \
         d: {file: d.txt}\n  e: {environment: E}\n",
    );
    assert_eq!(sources(&document), ["./a.cfg", "d.txt"]);
}
