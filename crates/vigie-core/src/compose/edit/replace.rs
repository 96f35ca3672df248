//! Decides how a value that stands there is replaced: a scalar in its own quotes, a list or mapping in
//! the way it is written, nothing by a value behind its colon.

use std::ops::Range;

use super::insert::{indent_of, step, within_flow};
use super::render::{self, Layout};
use super::{Splice, Spot};
use crate::compose::document::Document;
use crate::compose::node::{Kind, NodeId, Style};
use crate::compose::place::{line_break, line_end, line_start};
use crate::compose::{Place, Refusal, Value, Why};

pub(super) fn ways(
    document: &Document,
    spot: &Spot<'_>,
    old: NodeId,
) -> Result<Vec<Splice>, Refusal> {
    let node = &document.nodes[old];
    let flow = within_flow(document, &spot.way);
    let splice = match (&node.kind, &spot.value) {
        (Kind::Scalar { style: Style::Empty, .. }, value) => fill(document, spot, old, value, flow),
        (Kind::Scalar { style: Style::Block, .. }, value) => {
            let span = block_scalar(document, spot, old)?;
            Splice { span, text: render::inline(value, flow) }
        }
        (Kind::Scalar { style, .. }, Value::Text(text)) => {
            Splice { span: node.span.clone(), text: render::scalar(text, *style, flow) }
        }
        (Kind::Mapping { flow: false, .. } | Kind::Sequence { flow: false, .. }, value)
            if !flow =>
        {
            block(document, spot, old, value)?
        }
        (Kind::Mapping { .. } | Kind::Sequence { .. }, value) => {
            refuse_comments(document, &node.span)?;
            Splice { span: node.span.clone(), text: render::inline(value, flow) }
        }
        (Kind::Alias(_), value) => own_copy(document, spot, old, value, flow),
        (_, value) => Splice { span: node.span.clone(), text: render::inline(value, flow) },
    };
    Ok(vec![splice])
}

/// The layout of the key's own line.
fn layout(document: &Document, spot: &Spot<'_>, at: usize) -> Layout {
    let column = spot.name.map(|name| document.nodes[name].place.column - 1);
    Layout {
        indent: column.unwrap_or_else(|| indent_of(document, at)),
        step: step(document, &spot.way),
        line_break: line_break(&document.text, at),
    }
}

/// Nothing is written: a scalar goes behind the colon, a block below the line.
fn fill(document: &Document, spot: &Spot<'_>, old: NodeId, value: &Value, flow: bool) -> Splice {
    let end = document.nodes[old].span.end;
    let colon = if document.text[..end].ends_with(':') { "" } else { ":" };
    if flow {
        return Splice::at(end, format!("{colon} {}", render::inline(value, true)));
    }
    let text = render::behind_key(value, layout(document, spot, end));
    let at = if text.starts_with(' ') { end } else { line_end(&document.text, end) };
    Splice::at(at, text)
}

/// An alias becomes a value of this key's own.
fn own_copy(
    document: &Document,
    spot: &Spot<'_>,
    old: NodeId,
    value: &Value,
    flow: bool,
) -> Splice {
    let span = document.nodes[old].span.clone();
    if flow || spot.name.is_none() {
        return Splice { span, text: render::inline(value, flow) };
    }
    let text = render::behind_key(value, layout(document, spot, span.start));
    // The space behind the colon goes where lines follow.
    let before = document.text[..span.start].trim_end_matches([' ', '\t']).len();
    let start = if text.starts_with(' ') { span.start } else { before };
    Splice { span: start..span.end, text: text.trim_start_matches(' ').to_owned() }
}

/// A block list or mapping, from its first line to its last.
fn block(
    document: &Document,
    spot: &Spot<'_>,
    old: NodeId,
    value: &Value,
) -> Result<Splice, Refusal> {
    let span = document.nodes[old].span.clone();
    let start = line_start(&document.text, span.start);
    let unsafe_here = || Refusal::new(document.nodes[old].place, Why::Unproved);
    let name = spot.name.ok_or_else(unsafe_here)?;
    let colon = document.nodes[name].span.end;
    if start < colon {
        return Err(unsafe_here());
    }
    refuse_comments(document, &(start..span.end))?;
    let layout = layout(document, spot, colon);
    let text = render::behind_key(value, layout);
    if let Some(line) = text.strip_prefix(layout.line_break) {
        return Ok(Splice { span: start..span.end, text: line.to_owned() });
    }
    // A scalar or a short list goes behind the colon, and the lines below go away.
    let end = line_end(&document.text, colon);
    let behind = document.text[colon..end].trim_start_matches([' ', '\t', ':']);
    if behind.is_empty() {
        let at = colon + document.text[colon..end].find(':').map_or(0, |at| at + 1);
        refuse_comments(document, &(at..span.end))?;
        return Ok(Splice { span: at..span.end, text });
    }
    Err(Refusal::new(Place::of_byte(&document.text, end), Why::Comment))
}

/// From the sign of a block scalar to the end of its last line.
fn block_scalar(
    document: &Document,
    spot: &Spot<'_>,
    old: NodeId,
) -> Result<Range<usize>, Refusal> {
    let span = document.nodes[old].span.clone();
    let unsafe_here = || Refusal::new(document.nodes[old].place, Why::Unproved);
    let from = document.nodes[spot.name.ok_or_else(unsafe_here)?].span.end;
    let head = document.text.get(from..span.start).ok_or_else(unsafe_here)?;
    let sign = head.find(['|', '>']).ok_or_else(unsafe_here)?;
    if head[sign..].contains('#') {
        return Err(Refusal::new(Place::of_byte(&document.text, from + sign), Why::Comment));
    }
    Ok(from + sign..span.end)
}

/// A comment that stands within the bytes, outside of every scalar, would be lost.
fn refuse_comments(document: &Document, span: &Range<usize>) -> Result<(), Refusal> {
    let scalars = document.nodes.iter().filter(|node| {
        matches!(node.kind, Kind::Scalar { .. })
            && node.span.start >= span.start
            && node.span.end <= span.end
    });
    let inside: Vec<Range<usize>> = scalars.map(|node| node.span.clone()).collect();
    let text = document.text.get(span.clone()).unwrap_or_default();
    let comment = text
        .match_indices('#')
        .map(|(at, _)| at + span.start)
        .find(|at| !inside.iter().any(|scalar| scalar.contains(at)));
    match comment {
        Some(at) => Err(Refusal::new(Place::of_byte(&document.text, at), Why::Comment)),
        None => Ok(()),
    }
}
