//! The client programs inside a service's container do the same as those of a machine: a database of the
//! reference stack gets what a server of this machine had.

use std::path::PathBuf;
use std::time::Duration;

use vigie::backup::binlog::{Start, Way, cut, replay};
use vigie::backup::database::{Client, Tools, Wish, dump, play};
use vigie::runtime::docker::{Docker, DockerConfig, DockerService};
use vigie_core::binlog::Target;
use vigie_testkit::lab::{Stack, docker_or_skip};

use crate::keeper::{Keeper, Kept, archive_in, dumped, wish};
use crate::server::{Server, release};
use crate::writer::{Writers, prepare};

fn engine(stack: &Stack) -> Docker {
    Docker::connect(DockerConfig {
        host: Some(stack.docker().host().to_owned()),
        compose_file: None,
        project: Some(stack.spec.project.clone()),
        directory: PathBuf::from("/"),
        services: vec![DockerService {
            name: String::from("mysql"),
            container: Some(stack.spec.database_container.clone()),
            has_dependencies: false,
        }],
    })
    .unwrap()
}

/// The password of the stack's administrator.
fn password(stack: &Stack) -> String {
    let dotenv = std::fs::read_to_string(stack.dir().join(".env")).unwrap();
    let word = dotenv.lines().find_map(|line| line.strip_prefix("MYSQL_ROOT_PASSWORD="));
    word.unwrap().to_owned()
}

async fn into_a_container(stack: &Stack) {
    let Some(release) = release("a log played in a container") else { return };
    let server = Server::start(&release, &[]).await;
    prepare(&server).await;
    let (_, archive) = archive_in(server.dir.path());
    let keeper = Keeper::begin(server.source(), archive, wish(Start::Oldest));
    let first = dumped(&server, &["town", "other"], "first").await;
    let writers = Writers::begin(&server, 3, Duration::from_millis(1));
    tokio::time::sleep(Duration::from_secs(2)).await;
    writers.end().await;
    keeper.is_whole().await;
    let (archive, done) = keeper.end().await;
    done.unwrap();
    let kept = Kept { archive: &archive, dumps: vec![first] };

    let docker = engine(stack);
    let tools = Tools::Container { docker: &docker, service: "mysql" };
    let client = Client { user: String::from("root"), password: password(stack), address: None };
    let input = std::io::Cursor::new(kept.dumps[0].0.clone());
    play(&tools, &client, Box::new(input)).await.unwrap();
    let cut = cut(&archive, &kept.plan(&Target::Latest), None).unwrap();
    assert!(cut.groups > 100);
    replay(&tools, &client, &cut, &Way::default()).await.unwrap();

    let (sender, mut receiver) = tokio::sync::mpsc::channel::<bytes::Bytes>(16);
    let schemas = vec![String::from("town"), String::from("other")];
    let wish = Wish { schemas, place: false };
    let drain = async { while receiver.recv().await.is_some() {} };
    let (again, ()) = tokio::join!(dump(&tools, &client, &wish, sender), drain);
    let original = dumped(&server, &["town", "other"], "").await.1;
    assert_eq!(again.unwrap().survey.tables(), original.survey.tables());

    let wrong = Client { password: String::from("not it"), ..client };
    let error = replay(&tools, &wrong, &cut, &Way::default()).await.unwrap_err().to_string();
    assert!(error.contains("mariadb in mysql ended with exit code 1"), "{error}");
    assert!(error.contains("Access denied") && !error.contains("not it"), "{error}");
}

#[test]
fn a_log_is_played_by_the_programs_in_a_container() {
    let Some(lab) = docker_or_skip("a log played in a container") else { return };
    let spec = lab.with_database(lab.stack("binlog").unwrap()).unwrap();
    let stack = lab.start(spec).unwrap();
    stack.wait_for_database(Duration::from_secs(180)).unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(into_a_container(&stack));
}
