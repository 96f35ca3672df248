//! Decides what stands in a compose file: the parser's events become nodes with the bytes they stand
//! in. The parser counts characters and does not always say where a flow collection ends; here it is
//! bytes, and the end is looked for.

use std::collections::BTreeMap;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};

use super::document::{Document, Twice};
use super::node::{Kind, Node, NodeId, Style};
use super::{Place, Refusal, Why};

/// A compose file is a few levels deep; what is deeper was written to exhaust a reader.
const DEEPEST: usize = 64;
/// Characters at most, for the same reason.
const LARGEST: usize = 4 << 20;
const BOM: char = '\u{feff}';

pub(super) fn read(text: &str) -> Result<Document, Refusal> {
    if text.len() > LARGEST {
        return Err(Refusal::new(Place::START, Why::TooLarge));
    }
    let body = text.strip_prefix(BOM).unwrap_or(text);
    let mut reader = Reader::new(text, body);
    reader.documents()?;
    let root = reader.root;
    Ok(Document {
        text: text.to_owned(),
        nodes: reader.nodes,
        anchors: reader.anchors,
        root,
        documents: reader.documents,
        twice: reader.twice,
    })
}

struct Reader<'a> {
    text: &'a str,
    parser: Parser<'a, StrInput<'a>>,
    /// The byte of each character, and of the end.
    bytes: Vec<usize>,
    nodes: Vec<Node>,
    anchors: BTreeMap<usize, NodeId>,
    root: Option<NodeId>,
    documents: usize,
    twice: Vec<Twice>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, body: &'a str) -> Self {
        let skipped = text.len() - body.len();
        let starts = body.char_indices().map(|(at, _)| at + skipped);
        Self {
            text,
            parser: Parser::new_from_str(body),
            bytes: starts.chain([text.len()]).collect(),
            nodes: Vec::new(),
            anchors: BTreeMap::new(),
            root: None,
            documents: 0,
            twice: Vec::new(),
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), Refusal> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                let at = error.marker();
                let place = Place { line: at.line(), column: at.col() + 1 };
                Err(Refusal::new(place, Why::Syntax(error.info().to_owned())))
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn byte(&self, character: usize) -> usize {
        self.bytes.get(character).copied().unwrap_or(self.text.len())
    }

    fn documents(&mut self) -> Result<(), Refusal> {
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(()),
                (Event::DocumentStart(_), _) => {
                    let (event, span) = self.next()?;
                    let node = self.node(event, span, 0)?;
                    self.documents += 1;
                    self.root.get_or_insert(node);
                }
                _ => {}
            }
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<NodeId, Refusal> {
        let place = Place { line: span.start.line(), column: span.start.col() + 1 };
        if depth > DEEPEST {
            return Err(Refusal::new(place, Why::TooDeep));
        }
        let bytes = self.byte(span.start.index())..self.byte(span.end.index());
        let node = |span, anchor, tag, kind| Node { span, place, anchor, tag, kind };
        let made = match event {
            Event::Alias(anchor) => {
                let span = bytes.start..self.word_end(bytes.start);
                node(span, 0, None, Kind::Alias(anchor))
            }
            Event::Scalar(text, style, anchor, tag) => {
                let (style, span) = self.scalar(&text, style, bytes);
                let text = if style == Style::Empty { String::new() } else { text.into_owned() };
                let tag = tag.map(|tag| tag.to_string());
                node(span, anchor, tag, Kind::Scalar { text, style })
            }
            Event::MappingStart(anchor, tag) => {
                let (id, tag) = (self.reserve(anchor, place), tag.map(|tag| tag.to_string()));
                let flow = !bytes.is_empty();
                let entries = self.entries(depth)?;
                let inner = entries.last().map(|(_, value)| self.nodes[*value].span.end);
                let span = self.collection(&bytes, inner, flow, '}');
                self.nodes[id] = node(span, anchor, tag, Kind::Mapping { entries, flow });
                return Ok(id);
            }
            Event::SequenceStart(anchor, tag) => {
                let (id, tag) = (self.reserve(anchor, place), tag.map(|tag| tag.to_string()));
                let flow = !bytes.is_empty();
                let items = self.items(depth)?;
                let inner = items.last().map(|item| self.nodes[*item].span.end);
                let span = self.collection(&bytes, inner, flow, ']');
                self.nodes[id] = node(span, anchor, tag, Kind::Sequence { items, flow });
                return Ok(id);
            }
            _ => return Err(Refusal::new(place, Why::Syntax(String::from("a node is missing")))),
        };
        let id = self.reserve(made.anchor, place);
        self.nodes[id] = made;
        Ok(id)
    }

    /// A place for a node whose parts are still to come; an alias within itself finds it.
    fn reserve(&mut self, anchor: usize, place: Place) -> NodeId {
        let id = self.nodes.len();
        let kind = Kind::Scalar { text: String::new(), style: Style::Empty };
        self.nodes.push(Node { span: 0..0, place, anchor: 0, tag: None, kind });
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        id
    }

    fn entries(&mut self, depth: usize) -> Result<Vec<(NodeId, NodeId)>, Refusal> {
        let mut entries = Vec::new();
        let mut seen: BTreeMap<String, Place> = BTreeMap::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(entries);
            }
            let key = self.node(event, span, depth + 1)?;
            if let Kind::Scalar { text, .. } = &self.nodes[key].kind {
                let place = self.nodes[key].place;
                if let Some(first) = seen.insert(text.clone(), place) {
                    self.twice.push(Twice { key: text.clone(), first, again: place });
                }
            }
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            if self.nodes[value].is_empty() {
                // The parser puts nothing at the sign behind it, or even on the next line.
                let end = self.after_colon(self.nodes[key].span.end);
                self.nodes[value].span = end..end;
                self.nodes[value].place = Place::of_byte(self.text, end);
            }
            entries.push((key, value));
        }
    }

    fn items(&mut self, depth: usize) -> Result<Vec<NodeId>, Refusal> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(items);
            }
            items.push(self.node(event, span, depth + 1)?);
        }
    }

    /// Behind the colon of the key that ends at `end`; `end` itself where none follows.
    fn after_colon(&self, end: usize) -> usize {
        let rest = self.text.get(end..).unwrap_or_default();
        let spaces = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        if rest[spaces..].starts_with(':') { end + spaces + 1 } else { end }
    }

    fn scalar(&self, text: &str, style: ScalarStyle, span: Range<usize>) -> (Style, Range<usize>) {
        let written = self.text.get(span.clone()).unwrap_or_default();
        match style {
            ScalarStyle::SingleQuoted => (Style::Single, self.quoted(span.start, '\'')),
            ScalarStyle::DoubleQuoted => (Style::Double, self.quoted(span.start, '"')),
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let kept = written.trim_end().len();
                (Style::Block, span.start..span.start + kept)
            }
            // Nothing is told as `~` at the sign that follows.
            ScalarStyle::Plain if text.is_empty() || (text == "~" && written != "~") => {
                (Style::Empty, span.start..span.start)
            }
            ScalarStyle::Plain => (Style::Plain, span.start..span.start + written.trim_end().len()),
        }
    }

    /// From one quote to the other: the parser's end can be that of the line, comment included.
    fn quoted(&self, start: usize, quote: char) -> Range<usize> {
        let rest = self.text.get(start + 1..).unwrap_or_default();
        let mut chars = rest.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let escapes = quote == '"' && c == '\\';
            let doubled =
                quote == '\'' && c == quote && chars.peek().is_some_and(|(_, c)| *c == quote);
            if escapes || doubled {
                chars.next();
            } else if c == quote {
                return start..start + at + 2;
            }
        }
        start..self.text.len()
    }

    fn word_end(&self, start: usize) -> usize {
        let rest = self.text.get(start..).unwrap_or_default();
        let ends = |c: char| c.is_whitespace() || ",[]{}".contains(c);
        start + rest.find(ends).unwrap_or(rest.len())
    }

    /// A collection's bytes. `inner` is where its last part ends.
    fn collection(
        &self,
        start: &Range<usize>,
        inner: Option<usize>,
        flow: bool,
        close: char,
    ) -> Range<usize> {
        if !flow {
            return start.start..inner.unwrap_or(start.start);
        }
        let from = inner.unwrap_or(start.end).max(start.end);
        let mut comment = false;
        for (at, c) in self.text.get(from..).unwrap_or_default().char_indices() {
            match c {
                '\n' | '\r' => comment = false,
                '#' => comment = true,
                c if c == close && !comment => return start.start..from + at + 1,
                _ => {}
            }
        }
        start.start..from
    }
}
