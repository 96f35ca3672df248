//! The shipped knowledge reads and is complete; tables in both languages and both shapes read; what
//! is wrong is told by its line.

use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use vigie_core::incident::Severity;

use super::table::parse_table;
use super::*;

const SEED: &str = "\
# Retour d'expérience

| Niveau | Nom |
|---|---|
| P1 | Critique |

| # | Incident | Gravité | Cause racine | Résolution | Temps |
|---|----------|---------|-------------- |------------|-------|
| 1 | MySQLOO ne charge pas | P2 | Binaire 32-bit au lieu de 64-bit | Remplacement par `gmsv_mysqloo_linux64.dll` | 2h |
| 7 | Caisse téléportée après `SetParent(nil)` | P2 | Source restaure | `timer.Simple(0)` \\| `SetPos` | 1h30 |
| 11 | Carte noire | P3 | Lightmaps | Recompilée | 30min |

### Leçons tirées
";

fn told(file: &str, text: &str) -> String {
    parse_table(Path::new(file), text).unwrap_err().to_string()
}

#[test]
fn the_shipped_incidents_are_the_ten_in_both_languages() {
    let all = shipped();
    let ids: Vec<&str> = all.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["K1", "K2", "K3", "K4", "K5", "K6", "K7", "K8", "K9", "K10"]);
    for one in &all {
        for text in [&one.title, &one.cause, &one.resolution, one.guard.as_ref().unwrap()] {
            assert!(!text.en.is_empty() && text.fr.as_ref().is_some_and(|fr| !fr.is_empty()));
        }
        assert!(one.took.is_some() && !one.matches.is_empty(), "{}", one.id);
        assert!(one.matches.iter().all(|part| part.chars().count() >= Known::SHORTEST));
    }
    let texts = [String::from("[ERROR] lua_run:1: Couldn't load module library!")];
    let found: Vec<_> = all.iter().filter(|one| one.recognised(&texts).is_some()).collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].id, "K1");
}

#[test]
fn a_table_in_markdown_reads_and_only_what_is_new_is_learned() {
    let read = parse_table(Path::new("incidents.md"), SEED).unwrap();
    assert_eq!(read.len(), 3);
    assert_eq!(read[1].took, Some(Duration::from_secs(5_400)));
    assert_eq!(read[1].resolution.en, "`timer.Simple(0)` | `SetPos`");
    let (new, told) = sort_out(&shipped(), read.clone());
    assert_eq!(told, ["MySQLOO ne charge pas", "Caisse téléportée après `SetParent(nil)`"]);
    assert_eq!((new[0].id.as_str(), new[0].severity), ("K11", Severity::P3));
    let known: Vec<_> = shipped().into_iter().chain(new).collect();
    assert_eq!(sort_out(&known, read).0, []);
}

#[test]
fn csv_reads_in_english_with_either_delimiter() {
    let text = "#,Incident,Severity,Root cause,Resolution,Time,Matches\n\
        1,\"Black, map\",p1,\"line one\nline two\",recompiled,45min,vrad; lightmap\n\
        1,Another,,,done,,\n";
    let read = parse_table(Path::new("a.csv"), text).unwrap();
    assert_eq!(read[0].title.en, "Black, map");
    assert_eq!(read[0].matches, ["vrad", "lightmap"]);
    assert_eq!((read[0].severity, read[1].severity), (Severity::P1, Severity::P3));
    assert_eq!((read[0].took, read[1].took), (Some(Duration::from_secs(2_700)), None));
    let ids = |new: Vec<Known>| new.into_iter().map(|one| one.id).collect::<Vec<_>>();
    assert_eq!(ids(sort_out(&shipped(), read).0), ["K11", "K12"]);
    let french = "\u{feff}N°;Incident;Gravité;Résolution\n4;Panne;P2;redémarré\n";
    assert_eq!(parse_table(Path::new("a.csv"), french).unwrap()[0].id, "K4");
}

#[test]
fn what_is_wrong_is_told_by_line_and_column() {
    let wrong = SEED.replace("| P3 | Lightmaps", "| grave | Lightmaps");
    insta::assert_snapshot!(told("a.md", &wrong), @"a.md:11: column Severity: `grave` is no severity; it is P1, P2, P3 or P4");
    let wrong = SEED.replace("| 30min |", "| bientôt |");
    insta::assert_snapshot!(told("a.md", &wrong), @"a.md:11: column Time: `bientôt` is not a length of time; write 2h, 1h30, 30min");
    insta::assert_snapshot!(told("a.csv", "Incident,Resolution\nx,y\n,z\n"), @"a.csv:3: the column Incident is empty; write it");
    insta::assert_snapshot!(told("a.csv", "Incident,Resolution\nx,\"\"\n"), @"a.csv:2: the column Resolution is empty; write it");
    insta::assert_snapshot!(told("a.csv", "a,b\n1,2\n"), @"a.csv: there is no table in it; its headings are: # | Incident | Severity | Root cause | Resolution | Time (CSV, or a Markdown table)");
    let error = read_table(Path::new("nowhere/a.csv")).unwrap_err().to_string();
    assert!(error.starts_with("nowhere/a.csv: cannot be read"), "{error}");
}

proptest! {
    #[test]
    fn no_table_makes_it_panic(text in "([|#,;\"\\\\ a-zé0-9\n-]|Incident|Resolution|Temps|P2){0,60}") {
        let _ = parse_table(Path::new("a.md"), &text);
        let _ = parse_table(Path::new("a.csv"), &text);
    }

    #[test]
    fn an_import_gives_each_its_own_id(ids in prop::collection::vec("[0-9K]{0,2}", 0..12)) {
        let row = |(number, id): (usize, &String)| format!("{id},title {number},done\n");
        let rows: String = ids.iter().enumerate().map(row).collect();
        let read = parse_table(Path::new("a.csv"), &format!("#,Incident,Resolution\n{rows}"));
        let (new, told) = sort_out(&shipped(), read.unwrap_or_default());
        prop_assert_eq!((new.len(), told.len()), (ids.len(), 0));
        let all: std::collections::BTreeSet<_> =
            shipped().into_iter().chain(new).map(|one| one.id).collect();
        prop_assert_eq!(all.len(), 10 + ids.len());
    }
}
