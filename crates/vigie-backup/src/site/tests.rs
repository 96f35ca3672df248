//! Every kind of site keeps the contract, and no secret gets out of one.

use std::sync::Arc;

use super::*;
use crate::lab;
use crate::store::{Area, Object, Trouble, conformance};

fn conforms(place: Option<lab::Place>) {
    let Some(place) = place else { return };
    conformance::holds(&place.site.open().unwrap(), || place.site.open().unwrap());
}

#[test]
fn a_directory_keeps_the_contract() {
    conforms(Some(lab::local()));
}

#[test]
fn s3_keeps_the_contract() {
    conforms(lab::s3("an S3 bucket as a site"));
}

#[test]
fn sftp_keeps_the_contract() {
    conforms(lab::sftp("a directory behind SSH as a site"));
}

#[test]
fn webdav_keeps_the_contract() {
    conforms(lab::webdav("a WebDAV server as a site"));
}

#[test]
fn rest_keeps_the_contract() {
    conforms(lab::rest("a server of restic's protocol as a site"));
}

#[test]
fn rclone_keeps_the_contract() {
    conforms(lab::remote("a remote of rclone as a site"));
}

#[test]
fn a_site_that_is_down_may_come_back_and_a_wrong_login_does_not_mend_itself() {
    for mut place in lab::every("sites that fail") {
        let Some(server) = &mut place.server else { continue };
        let wrong = match place.site.clone() {
            Site::S3(s3) => Some(Site::S3(S3 { secret_key: Secret::new("hush"), ..s3 })),
            Site::WebDav(dav) => {
                Some(Site::WebDav(WebDav { password: Secret::new("hush"), ..dav }))
            }
            Site::Rest(rest) => Some(Site::Rest(Rest { password: Secret::new("hush"), ..rest })),
            _ => None,
        };
        if let Some(wrong) = wrong {
            let fault = wrong.open().unwrap().list(Area::Keys).unwrap_err();
            assert_eq!(fault.trouble, Trouble::Refused, "{}: {fault}", place.kind);
            assert!(!format!("{fault:?}{wrong:?}{wrong}").contains("hush"), "{fault:?} {wrong:?}");
        }
        let store = place.site.open().unwrap();
        store.list(Area::Keys).unwrap();
        server.kill();
        for fault in [
            store.list(Area::Keys).unwrap_err(),
            store.size(&Object::config()).unwrap_err(),
            store.read(&Object::config(), None).unwrap_err(),
            store.write(&Object::config(), &["x".into()]).unwrap_err(),
            store.remove(&Object::config()).unwrap_err(),
        ] {
            assert_eq!(fault.trouble, Trouble::Passing, "{}: {fault:?}", place.kind);
            assert!(!fault.why.contains("secret"), "{fault}");
        }
    }
}

#[test]
fn a_connection_that_broke_is_made_again() {
    let kept = tempfile::tempdir().unwrap();
    let Some(sshd) = lab::Sshd::new(kept.path(), "a broken SSH connection") else { return };
    let server = sshd.start();
    let site = Site::Sftp(sshd.site(&kept.path().join("repo")));
    let store = dressed(site.open().unwrap(), &Access::default());
    store.make().unwrap();
    drop(server);
    // The connections of a server outlive it; this one must not.
    let _again = sshd.start();
    store.write(&Object::config(), &["x".into()]).unwrap();
    assert_eq!(store.size(&Object::config()).unwrap(), Some(1));
}

#[test]
fn a_host_is_known_or_refused_and_a_changed_key_is_never_trusted() {
    let kept = tempfile::tempdir().unwrap();
    let Some(sshd) = lab::Sshd::new(kept.path(), "host keys") else { return };
    let _server = sshd.start();
    let known = sshd.site(&kept.path().join("repo"));
    let first_seen = Sftp { host_keys: HostKeys::FirstSeen, ..known.clone() };
    let ask = |sftp: &Sftp| Site::Sftp(sftp.clone()).open().unwrap().list(Area::Keys);
    assert_eq!(ask(&known).unwrap(), []);

    std::fs::write(sshd.known_hosts(), "").unwrap();
    let fault = ask(&known).unwrap_err();
    assert_eq!(fault.trouble, Trouble::Refused, "{fault}");
    assert!(fault.why.contains("ssh-keyscan"), "{fault}");
    assert_eq!(ask(&first_seen).unwrap(), []);
    assert_eq!(ask(&known).unwrap(), [], "the first key was remembered");

    sshd.new_key("another");
    sshd.know("another.pub");
    for sftp in [&known, &first_seen] {
        let fault = ask(sftp).unwrap_err();
        assert_eq!(fault.trouble, Trouble::Refused, "{fault}");
        assert!(fault.why.contains("another key"), "{fault}");
    }
    std::fs::write(sshd.known_hosts(), "").unwrap();
    sshd.new_key("user");
    let fault = ask(&first_seen).unwrap_err();
    assert_eq!(fault.trouble, Trouble::Refused, "{fault}");
    assert!(fault.why.contains("Permission denied"), "{fault}");
}

#[test]
fn settings_that_cannot_be_are_told() {
    let sftp = |host: &str, path: &str| {
        Site::Sftp(Sftp { host: host.into(), path: path.into(), ..Sftp::default() })
    };
    let rest = |endpoint: &str| Site::Rest(Rest { endpoint: endpoint.into(), ..Rest::default() });
    let remote = |remote: &str| Site::Rclone(Rclone { remote: remote.into(), config: None });
    for site in [
        sftp("", "x"),
        sftp("-oProxyCommand=x", "x"),
        sftp("h", ""),
        rest("nonsense"),
        rest("http://me:hush@127.0.0.1/"),
        remote("--config"),
    ] {
        let fault = site.open().map(drop).unwrap_err();
        assert_eq!(fault.trouble, Trouble::Wrong, "{fault}");
        assert!(!format!("{fault:?}{site}").contains("hush"), "{fault} {site}");
    }
}

#[test]
fn secrets_are_not_shown() {
    let secret = || Secret::new("hush");
    let sites = [
        Site::S3(S3 { secret_key: secret(), endpoint: "http://a:hush@b".into(), ..S3::default() }),
        Site::WebDav(WebDav { password: secret(), ..WebDav::default() }),
        Site::Rest(Rest { password: secret(), ..Rest::default() }),
    ];
    for site in &sites {
        assert!(!site.to_string().contains("hush"), "{site}");
    }
    assert!(!format!("{:?}", &sites[1..]).contains("hush"));
}

#[test]
fn rclone_ends_with_its_owner() {
    let Some(place) = lab::remote("the end of rclone") else { return };
    let store = place.site.open().unwrap();
    store.make().unwrap();
    let serves = || {
        let all = std::fs::read_dir("/proc").unwrap().flatten();
        let line = |at: std::path::PathBuf| std::fs::read(at.join("cmdline")).unwrap_or_default();
        let config = place.files.parent().unwrap().join("rclone.conf").display().to_string();
        all.filter(|entry| {
            let line = String::from_utf8_lossy(&line(entry.path())).into_owned();
            line.starts_with("rclone") && line.contains(&config)
        })
        .count()
    };
    assert_eq!(serves(), 1);
    drop(Arc::clone(&store));
    assert_eq!(serves(), 1, "somebody still has it");
    drop(store);
    assert_eq!(serves(), 0);
}
