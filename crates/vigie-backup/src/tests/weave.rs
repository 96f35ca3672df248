//! A stream that is put together of bytes and files of a snapshot is exactly that, and what is damaged,
//! is not there or leads elsewhere is never written as if it were whole.

use std::io::Write as _;
use std::path::PathBuf;

use super::repository;
use super::sites::noise;
use crate::{Error, Piece};

#[test]
fn bytes_and_files_come_in_the_order_of_the_plan() {
    let (directory, repository) = repository();
    let at = directory.path().join("layer");
    std::fs::create_dir_all(at.join("many/deep")).unwrap();
    let mut plan = Vec::new();
    let mut whole = Vec::new();
    // Small ones of which many are read at once, in another order than they lie there.
    for number in (0..700_u32).rev() {
        let name = PathBuf::from(format!("many/{number}"));
        let content = noise(1 + number as usize);
        std::fs::write(at.join(&name), &content).unwrap();
        let header = vec![u8::try_from(number % 251).unwrap(); 3];
        whole.extend_from_slice(&header);
        whole.extend_from_slice(&content);
        plan.extend([Piece::Bytes(header), Piece::File(name)]);
    }
    // Larger than what is read ahead at once; the same twice; an empty one.
    let large = noise(40 << 20);
    std::fs::File::create(at.join("many/deep/large")).unwrap().write_all(&large).unwrap();
    std::fs::write(at.join("empty"), b"").unwrap();
    for name in ["many/deep/large", "empty", "many/deep/large"] {
        plan.push(Piece::File(name.into()));
    }
    whole.extend_from_slice(&large);
    whole.extend_from_slice(&large);
    let stored = repository.put_tree("layer", "v1", &at).unwrap();
    let mut out = Vec::new();
    repository.get_woven(&stored.id, plan.into_iter().map(Ok), &mut out).unwrap();
    assert!(out == whole, "{} bytes in place of {}", out.len(), whole.len());
}

#[test]
fn a_plan_that_names_what_is_not_there_fails() {
    let (directory, repository) = repository();
    let at = directory.path().join("layer");
    std::fs::create_dir_all(at.join("in")).unwrap();
    std::fs::write(at.join("in/file"), "x").unwrap();
    let stored = repository.put_tree("layer", "v1", &at).unwrap();
    for bad in ["in", "in/other", "../layer/in/file", "/in/file", "in/file/more", ""] {
        let plan = [Ok(Piece::File(bad.into()))];
        let failed = repository.get_woven(&stored.id, plan.into_iter(), &mut Vec::new());
        assert!(matches!(failed, Err(Error::NotThere(..))), "{bad:?}: {failed:?}");
    }
    let plan = [Ok(Piece::File("in/file".into())), Err(std::io::Error::other("torn plan"))];
    let failed = repository.get_woven(&stored.id, plan.into_iter(), &mut Vec::new()).unwrap_err();
    assert!(failed.to_string().contains("torn plan"), "{failed}");
}

#[test]
fn what_is_not_what_it_should_be_is_not_kept() {
    let (directory, repository) = repository();
    let at = directory.path().join("layer");
    std::fs::create_dir(&at).unwrap();
    std::fs::write(at.join("file"), "tampered").unwrap();
    let wrong = || Err(String::from("its digest is another"));
    let failed = repository.put_tree_proved("layer", "v1", &at, wrong).unwrap_err();
    assert!(failed.to_string().contains("its digest is another"), "{failed}");
    assert_eq!(repository.snapshots().unwrap(), []);
}
