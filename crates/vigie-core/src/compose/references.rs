//! Decides which other files a compose file names, as it writes them: those that it includes, those that
//! its services extend, files of variables, and those of its configs and secrets.

use super::{Document, View};

/// An entry of `include`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// The compose files, merged into one.
    pub paths: Vec<String>,
    /// The directory that paths in them are relative to; the first one's without it.
    pub directory: Option<String>,
    /// Files of variables; the `.env` in that directory without any.
    pub env_files: Vec<String>,
}

/// What it includes.
#[must_use]
pub fn included(document: &Document) -> Vec<Include> {
    let items = document.at(&["include"]).map(View::items).unwrap_or_default();
    let include = |item: View<'_>| Include {
        paths: texts(item.get("path").or(Some(item))),
        directory: item.get("project_directory").and_then(View::text).map(str::to_owned),
        env_files: texts(item.get("env_file")),
    };
    items.into_iter().map(include).collect()
}

/// The files whose services its own ones extend.
#[must_use]
pub fn extended(document: &Document) -> Vec<String> {
    let files = services(document)
        .into_iter()
        .filter_map(|service| Some(service.get("extends")?.get("file")?.text()?.to_owned()));
    files.collect()
}

/// The `env_file` of every service.
#[must_use]
pub fn env_files(document: &Document) -> Vec<String> {
    let services = services(document).into_iter();
    services.flat_map(|service| texts(service.get("env_file"))).collect()
}

/// The `file` of each of its `configs` and `secrets`.
#[must_use]
pub fn sources(document: &Document) -> Vec<String> {
    let kinds = [document.at(&["configs"]), document.at(&["secrets"])];
    let all = kinds.into_iter().flatten().flat_map(View::entries);
    all.filter_map(|(_, _, one)| Some(one.get("file")?.text()?.to_owned())).collect()
}

fn services(document: &Document) -> Vec<View<'_>> {
    let services = document.at(&["services"]).map(View::entries).unwrap_or_default();
    services.into_iter().map(|(_, _, service)| service).collect()
}

/// One text, a list of them, or a list of mappings with a `path`.
fn texts(view: Option<View<'_>>) -> Vec<String> {
    let Some(view) = view else { return Vec::new() };
    let items = view.items().into_iter();
    let items =
        items.filter_map(|item| item.text().or_else(|| item.get("path").and_then(View::text)));
    view.text().into_iter().chain(items).map(str::to_owned).collect()
}
