//! Decides where a new key goes: behind the last one of its mapping, else before the first.

use super::render::{self, Layout};
use super::{Splice, Spot};
use crate::compose::Value;
use crate::compose::document::Document;
use crate::compose::node::{Kind, NodeId};
use crate::compose::place::{line_break, line_end, line_start};

/// The step where the file shows none.
const STEP: usize = 2;

pub(super) fn ways(document: &Document, spot: &Spot<'_>) -> Vec<Splice> {
    let Some(holder) = spot.holder() else { return Vec::new() };
    let Kind::Mapping { entries, flow } = &document.nodes[holder].kind else { return Vec::new() };
    let key = |flow| render::inline(&Value::text(spot.key), flow);
    if *flow || within_flow(document, &spot.way) {
        let entry = format!("{}: {}", key(true), render::inline(&spot.value, true));
        return match entries.last() {
            None => vec![Splice::at(document.nodes[holder].span.start + 1, entry)],
            Some((_, last)) => {
                vec![Splice::at(document.nodes[*last].span.end, format!(", {entry}"))]
            }
        };
    }
    let (Some((first, _)), Some((_, last))) = (entries.first(), entries.last()) else {
        return Vec::new();
    };
    let start = document.nodes[*first].span.start;
    let layout = Layout {
        indent: document.nodes[*first].place.column - 1,
        step: step(document, &spot.way),
        line_break: line_break(&document.text, document.nodes[*last].span.end),
    };
    let line = render::line(&key(false), &spot.value, layout);
    let below = line_end(&document.text, document.nodes[*last].span.end);
    // Before the first key its own line is kept for what was there.
    let above = line.get(layout.line_break.len() + layout.indent..).unwrap_or_default();
    let spaces = " ".repeat(layout.indent);
    let above = format!("{above}{}{spaces}", layout.line_break);
    vec![Splice::at(below, line), Splice::at(start, above)]
}

/// Whether one of the nodes is written in braces or brackets; all in it is too.
pub(super) fn within_flow(document: &Document, way: &[NodeId]) -> bool {
    way.iter().any(|id| {
        matches!(
            document.nodes[*id].kind,
            Kind::Mapping { flow: true, .. } | Kind::Sequence { flow: true, .. }
        )
    })
}

/// How far a block goes to the right: as its siblings do, else as the mappings around it.
pub(super) fn step(document: &Document, way: &[NodeId]) -> usize {
    way.iter().rev().find_map(|id| own_step(document, *id)).unwrap_or(STEP)
}

fn own_step(document: &Document, id: NodeId) -> Option<usize> {
    let Kind::Mapping { entries, flow: false } = &document.nodes[id].kind else { return None };
    let column = document.nodes[entries.first()?.0].place.column;
    entries.iter().find_map(|(_, value)| {
        let Kind::Mapping { flow: false, entries } = &document.nodes[*value].kind else {
            return None;
        };
        let inner = document.nodes[entries.first()?.0].place.column;
        inner.checked_sub(column).filter(|step| *step > 0)
    })
}

/// The column of the first sign on the line of byte `at`.
pub(super) fn indent_of(document: &Document, at: usize) -> usize {
    let line = document.text.get(line_start(&document.text, at)..).unwrap_or_default();
    line.chars().take_while(|c| *c == ' ').count()
}
