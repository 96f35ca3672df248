//! Checks of JSON shapes: an error says where and what, as an API does.

use serde_json::{Map, Value as Json};

/// The object at `place`, which must not have other keys than `keys`.
pub(super) fn object<'a>(
    value: &'a Json,
    place: &str,
    keys: &[&str],
) -> Result<&'a Map<String, Json>, String> {
    let object = value.as_object().ok_or_else(|| format!("{place}: not an object"))?;
    match object.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => Err(format!("{place}.{key}: unknown key")),
        None => Ok(object),
    }
}

/// A text of 1 to `most` UTF-16 units that is more than spaces; `None` where it is missing.
pub(super) fn text<'a>(
    object: &'a Map<String, Json>,
    place: &str,
    key: &str,
    most: usize,
) -> Result<Option<&'a str>, String> {
    let Some(value) = object.get(key) else { return Ok(None) };
    let text = value.as_str().ok_or_else(|| format!("{place}.{key}: not a string"))?;
    let length = text.encode_utf16().count();
    if text.trim().is_empty() {
        return Err(format!("{place}.{key}: This field is required"));
    }
    if length > most {
        return Err(format!("{place}.{key}: Must be {most} or fewer in length."));
    }
    Ok(Some(text))
}

/// An array of at most `most`.
pub(super) fn list<'a>(
    object: &'a Map<String, Json>,
    place: &str,
    key: &str,
    most: usize,
) -> Result<&'a [Json], String> {
    let Some(value) = object.get(key) else { return Ok(&[]) };
    let list = value.as_array().ok_or_else(|| format!("{place}.{key}: not an array"))?;
    if list.len() > most {
        return Err(format!("{place}.{key}: Must be {most} or fewer in length."));
    }
    Ok(list)
}
