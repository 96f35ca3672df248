//! Decides whether a database is of a series that gets no more repairs.

use super::Rule;
use crate::compose::ImageName;
use crate::doctor::{About, Finding, Level, Project};
use crate::stack::Role;

pub(super) const ABOUT: About = About {
    word: "eol-database-image",
    level: Level::Warning,
    risks: &["R2", "R8"],
    why: [
        "no more repairs come: the next hole stays open, and the way to a newer series gets longer",
        "plus aucune correction n'arrive : la prochaine faille reste ouverte, et la migration devient plus longue",
    ],
    remedy: [
        "dump the data, go to a maintained series on a copy first",
        "exporter les données, passer à une version maintenue d'abord sur une copie",
    ],
};

/// Series and the last month in which its makers repair it.
const SERIES: [(&str, &str, (i16, i8)); 35] = [
    ("mysql", "5", (2023, 10)),
    ("mysql", "5.5", (2018, 12)),
    ("mysql", "5.6", (2021, 2)),
    ("mysql", "5.7", (2023, 10)),
    ("mysql", "8.0", (2026, 4)),
    ("mysql", "8.1", (2023, 10)),
    ("mysql", "8.2", (2024, 1)),
    ("mysql", "8.3", (2024, 4)),
    ("mysql", "8.4", (2032, 4)),
    ("mysql", "9.0", (2024, 10)),
    ("mysql", "9.1", (2025, 1)),
    ("mysql", "9.2", (2025, 4)),
    ("mysql", "9.3", (2025, 7)),
    ("mysql", "9.4", (2025, 10)),
    ("percona", "5.6", (2021, 2)),
    ("percona", "5.7", (2023, 10)),
    ("percona", "8.0", (2026, 4)),
    ("mariadb", "5.5", (2020, 4)),
    ("mariadb", "10.0", (2019, 3)),
    ("mariadb", "10.1", (2020, 10)),
    ("mariadb", "10.2", (2022, 5)),
    ("mariadb", "10.3", (2023, 5)),
    ("mariadb", "10.4", (2024, 6)),
    ("mariadb", "10.5", (2025, 6)),
    ("mariadb", "10.6", (2026, 7)),
    ("mariadb", "10.7", (2023, 2)),
    ("mariadb", "10.8", (2023, 5)),
    ("mariadb", "10.9", (2023, 8)),
    ("mariadb", "10.10", (2023, 11)),
    ("mariadb", "10.11", (2028, 2)),
    ("mariadb", "11.0", (2024, 6)),
    ("mariadb", "11.1", (2024, 8)),
    ("mariadb", "11.2", (2024, 11)),
    ("mariadb", "11.4", (2029, 5)),
    ("mariadb", "11.8", (2028, 6)),
];

pub(super) fn look(project: &Project<'_>, found: &mut Vec<Finding>) {
    for service in project.of(&[Role::Database]) {
        let Some(at) = service.find(&["image"]) else { continue };
        let Some(ended) = ended(&service.image).filter(|ended| *ended < project.facts.today) else {
            continue;
        };
        let (name, image, (year, month)) = (service.name, &service.image, ended);
        let what = (
            format!("{name}: {image} has not been maintained since {year}-{month:02}"),
            format!("{name} : {image} n'est plus maintenue depuis {year}-{month:02}"),
        );
        found.push(Rule::EolDatabaseImage.at(&at, service, what));
    }
}

/// When the repairs of an image's series end.
fn ended(image: &str) -> Option<(i16, i8)> {
    let name = ImageName::parse(image)?;
    let tag = name.tag.as_deref()?;
    let number = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    let version = tag.split('-').next()?;
    let series: Vec<&str> = version.split('.').take(2).take_while(number).collect();
    let series = series.join(".");
    let short = name.short();
    let known = SERIES.iter().find(|(maker, known, _)| short.contains(maker) && series == *known);
    known.map(|(_, _, ended)| *ended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_is_read_from_the_tag() {
        for (image, wanted) in [
            ("mysql:8.0", Some((2026, 4))),
            ("library/mysql:8.0.36-debian", Some((2026, 4))),
            ("r.example:5000/percona-server:5.7.44", Some((2023, 10))),
            ("mariadb:10.11.6@sha256:ab", Some((2028, 2))),
            ("mysql:latest", None),
            ("mysql", None),
            ("mysql:8", None),
            ("mariadb:lts-noble", None),
            ("postgres:9.6", None),
        ] {
            assert_eq!(ended(image), wanted, "{image}");
        }
    }
}
