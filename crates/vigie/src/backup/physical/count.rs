//! Does: counts what is in a server's tables, and tells whether anything was written between two moments.

use std::collections::BTreeMap;

use crate::backup::database::{Client, Count, DatabaseError, Tools};

/// What every engine of the server has written since it started; tables that it makes for itself do not
/// count.
const WRITTEN: &str = "SELECT GROUP_CONCAT(variable_value ORDER BY variable_name) FROM \
    information_schema.global_status WHERE variable_name IN ('HANDLER_WRITE', 'HANDLER_UPDATE', \
    'HANDLER_DELETE')";

/// The tables of a schema; its name is bound by being hexadecimal.
fn tables_of(schema: &str) -> String {
    use std::fmt::Write as _;
    let hex = schema.bytes().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    format!(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = CONVERT(X'{hex}' USING utf8) \
         AND table_type = 'BASE TABLE' ORDER BY table_name"
    )
}

/// A name as it is written in a statement.
fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// What was written so far, as a text to compare; nothing where the server does not tell it.
pub(super) async fn written(tools: &Tools<'_>, client: &Client) -> Option<String> {
    client.ask(tools, WRITTEN).await.ok().filter(|told| !told.is_empty() && told != "NULL")
}

/// Rows of every table of `schema`, by `schema.table`. Their content is not read.
///
/// # Errors
/// When the server does not tell.
pub(super) async fn rows(
    tools: &Tools<'_>,
    client: &Client,
    schema: &str,
) -> Result<BTreeMap<String, Count>, DatabaseError> {
    let told = client.ask(tools, &tables_of(schema)).await?;
    let mut found = BTreeMap::new();
    for name in told.lines().filter(|name| !name.is_empty()) {
        let sql = format!("SELECT COUNT(*) FROM {}.{}", quoted(schema), quoted(name));
        let told = client.ask(tools, &sql).await?;
        let rows = told.parse().map_err(|_| DatabaseError::Output {
            program: String::from("mariadb"),
            place: tools.place(),
            why: format!("{schema}.{name} has no number of rows, but `{told}`"),
        })?;
        found.insert(format!("{schema}.{name}"), Count { rows, sum: 0 });
    }
    Ok(found)
}

/// The tables of `schema`, as they are written in a statement.
///
/// # Errors
/// When the server does not tell.
pub(super) async fn names(
    tools: &Tools<'_>,
    client: &Client,
    schema: &str,
) -> Result<Vec<String>, DatabaseError> {
    let told = client.ask(tools, &tables_of(schema)).await?;
    let names = told.lines().filter(|name| !name.is_empty());
    Ok(names.map(|name| format!("{}.{}", quoted(schema), quoted(name))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_end_a_statement() {
        assert_eq!(quoted("a`; DROP"), "`a``; DROP`");
        assert!(tables_of("a' OR 1").contains("X'6127204f522031'"));
    }
}
