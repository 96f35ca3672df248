//! Makes compose files out of parts, in the ways in which people write them, and knows what they say.

use std::collections::BTreeMap;

use crate::compose::Value;

/// What is written.
#[derive(Debug, Clone)]
pub(super) enum Tree {
    /// How it is written in one line, and what it says.
    Scalar(String, Value),
    /// The sign, the lines, and what they say.
    Lines(&'static str, Vec<String>, Value),
    Map {
        entries: Vec<(String, Tree)>,
        flow: bool,
    },
    List {
        items: Vec<Tree>,
        flow: bool,
    },
    Alias(String),
    Anchored(String, Box<Tree>),
}

/// A document that was made.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) text: String,
    pub(super) says: Value,
    /// Whether something is used in several places, or ends in blank lines that count.
    pub(super) shares: bool,
}

/// Choices, taken from a tape of random bytes, so that a failing document shrinks.
struct Tape<'a> {
    bytes: std::iter::Copied<std::slice::Iter<'a, u8>>,
}

impl Tape<'_> {
    fn of(&mut self, count: usize) -> usize {
        usize::from(self.bytes.next().unwrap_or(0)) % count.max(1)
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.of(count) == count - 1
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.of(from.len())]
    }
}

pub(super) fn make(tape: &[u8]) -> Made {
    let mut maker = Maker {
        tape: Tape { bytes: tape.iter().copied() },
        out: String::new(),
        anchors: BTreeMap::new(),
        shares: false,
        line_break: "\n",
        step: 2,
    };
    maker.line_break = maker.tape.pick(&["\n", "\n", "\r\n"]);
    maker.step = maker.tape.pick(&[2, 2, 4, 1, 3]);
    let root = maker.root();
    maker.write(&root);
    let says = says(&root, &maker.anchors);
    Made { text: maker.out, says, shares: maker.shares }
}

/// What a tree says, aliases and merge keys put in.
fn says(tree: &Tree, anchors: &BTreeMap<String, Tree>) -> Value {
    match tree {
        Tree::Scalar(_, value) | Tree::Lines(_, _, value) => value.clone(),
        Tree::List { items, .. } => {
            Value::List(items.iter().map(|item| says(item, anchors)).collect())
        }
        Tree::Alias(name) => says(&anchors[name], anchors),
        Tree::Anchored(_, tree) => says(tree, anchors),
        Tree::Map { entries, .. } => {
            let mut own: Vec<(Value, Value)> = Vec::new();
            for (key, value) in entries.iter().filter(|(key, _)| key != "<<") {
                own.push((Value::text(key.trim_matches(['\'', '"'])), says(value, anchors)));
            }
            for (_, from) in entries.iter().filter(|(key, _)| key == "<<") {
                let from = match says(from, anchors) {
                    Value::List(several) => several,
                    one => vec![one],
                };
                for from in from {
                    let Value::Map(merged) = from else { panic!("only mappings are merged") };
                    for (key, value) in merged {
                        if own.iter().all(|(known, _)| *known != key) {
                            own.push((key, value));
                        }
                    }
                }
            }
            Value::Map(own)
        }
    }
}

struct Maker<'a> {
    tape: Tape<'a>,
    out: String,
    anchors: BTreeMap<String, Tree>,
    shares: bool,
    line_break: &'static str,
    step: usize,
}

fn plain(text: &str) -> Tree {
    Tree::Scalar(text.to_owned(), Value::text(text))
}

fn word(text: &str) -> Tree {
    Tree::Scalar(text.to_owned(), Value::Word(text.to_owned()))
}

const IMAGES: [&str; 8] = [
    "nginx",
    "mysql:8.4",
    "registry.example.org:5000/a/b:v1",
    "projetfilrouge/gmod-server:v2.2-vehicles",
    "a/b:${TAG:-v1}",
    "$IMAGE",
    "x@sha256:0123abcd",
    "r.example/x:v1@sha256:0123abcd",
];
const WORDS: [&str; 8] =
    ["plain", "two words", "a#b", "x:y", "http://a/b", "é à ü", "日本", "+map gm_construct"];
const ODD: [&str; 9] = [
    "it's",
    "say \"hi\"",
    "# no comment",
    "a: b",
    "",
    " lead and trail ",
    "🎮 {x} [y]",
    "back\\slash",
    "8080:80",
];

impl Maker<'_> {
    fn scalar(&mut self) -> Tree {
        match self.tape.of(6) {
            0 => plain(self.tape.pick(&WORDS)),
            1 => word(self.tape.pick(&["3", "true", "0.5", "no", "~", "1e3", "0x1f"])),
            2 => {
                let text = self.tape.pick(&ODD);
                Tree::Scalar(format!("'{}'", text.replace('\'', "''")), Value::text(text))
            }
            3 => {
                let text = self.tape.pick(&ODD);
                let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
                Tree::Scalar(format!("\"{quoted}\""), Value::text(text))
            }
            4 => Tree::Scalar(String::from("\"\\u00e9\\t\\\\ \\\"\""), Value::text("é\t\\ \"")),
            _ => plain(self.tape.pick(&IMAGES)),
        }
    }

    /// Text on several lines, which only a block can hold.
    fn lines(&mut self) -> Tree {
        let lines: Vec<String> = ["exec server", "  +map x # no comment", "", "last: line"]
            [..1 + self.tape.of(4)]
            .iter()
            .map(|line| (*line).to_owned())
            .collect();
        let trimmed: Vec<&str> = lines.iter().map(String::as_str).collect();
        let body = trimmed.join("\n").trim_end_matches('\n').to_owned();
        match self.tape.of(4) {
            0 => {
                let folded = ["folded", "over lines"].map(String::from);
                Tree::Lines(">-", folded.into(), Value::text("folded over lines"))
            }
            3 => Tree::Lines("|", lines, Value::text(format!("{body}\n"))),
            1 => Tree::Lines("|-", lines, Value::text(body)),
            _ => {
                self.shares = true;
                Tree::Lines("|+", vec![String::from("kept")], Value::text("kept\n\n"))
            }
        }
    }

    fn map(&mut self, depth: usize, flow: bool) -> Tree {
        let keys = ["alpha", "beta", "key with space", "été", "\"q\"", "n1"];
        let count = self.tape.of(4);
        let entries =
            keys[..count].iter().map(|key| ((*key).to_owned(), self.any(depth + 1, flow)));
        Tree::Map { entries: entries.collect(), flow: flow || count == 0 }
    }

    fn list(&mut self, depth: usize, flow: bool) -> Tree {
        let count = self.tape.of(4);
        let items =
            (0..count).map(|_| if depth > 3 { self.scalar() } else { self.any(depth + 1, flow) });
        Tree::List { items: items.collect(), flow: flow || count == 0 }
    }

    fn any(&mut self, depth: usize, flow: bool) -> Tree {
        let flow = flow || self.tape.one_in(4);
        match self.tape.of(8) {
            0 if depth < 5 => self.map(depth, flow),
            1 if depth < 5 => self.list(depth, flow),
            2 if !flow => self.lines(),
            3 if !flow => Tree::Scalar(String::new(), Value::Word(String::new())),
            _ => self.scalar(),
        }
    }

    fn service(&mut self, base: Option<&str>) -> Tree {
        let flow = self.tape.one_in(8);
        let mut entries: Vec<(String, Tree)> = Vec::new();
        let image = plain(self.tape.pick(&IMAGES));
        entries.push((String::from("image"), image));
        for key in ["restart", "ports", "environment", "command", "healthcheck", "depends_on"] {
            if self.tape.one_in(2) {
                let value = match key {
                    "ports" | "depends_on" => self.list(3, flow),
                    "environment" | "healthcheck" => self.map(2, flow),
                    _ => self.any(2, flow),
                };
                entries.push((key.to_owned(), value));
            }
        }
        if let Some(base) = base.filter(|_| self.tape.one_in(2)) {
            self.shares = true;
            let alias = Tree::Alias(base.to_owned());
            let merged = match self.tape.one_in(3) {
                true => Tree::List { items: vec![alias], flow: true },
                false => alias,
            };
            entries.push((String::from("<<"), merged));
        }
        let turn = self.tape.of(entries.len());
        entries.rotate_left(turn);
        Tree::Map { entries, flow }
    }

    fn root(&mut self) -> Tree {
        let mut entries: Vec<(String, Tree)> = Vec::new();
        let base = self.tape.one_in(2).then_some("base");
        if let Some(base) = base {
            let tree = self.map(1, false);
            self.anchors.insert(base.to_owned(), tree.clone());
            entries.push((String::from("x-base"), Tree::Anchored(base.to_owned(), Box::new(tree))));
        }
        let names = ["gmod", "mysql", "'odd name'", "jeu-é"];
        let count = 1 + self.tape.of(4);
        let services = names[..count].iter().map(|name| ((*name).to_owned(), self.service(base)));
        let services = Tree::Map { entries: services.collect(), flow: false };
        entries.push((String::from("services"), services));
        if self.tape.one_in(2) {
            entries.push((String::from("volumes"), self.map(1, false)));
        }
        Tree::Map { entries, flow: false }
    }

    fn write(&mut self, root: &Tree) {
        if self.tape.one_in(8) {
            self.out.push('\u{feff}');
        }
        self.own_lines(0);
        if self.tape.one_in(6) {
            self.out.push_str("---");
            self.end_line();
        }
        let Tree::Map { entries, .. } = root else { return };
        self.block_map(entries, 0, true);
        if self.tape.one_in(6) {
            let kept = self.out.trim_end_matches(['\n', '\r']).len();
            // Blank lines behind `|+` count.
            if !self.shares {
                self.out.truncate(kept);
            }
        }
    }

    fn block_map(&mut self, entries: &[(String, Tree)], indent: usize, own_line: bool) {
        for (number, (key, value)) in entries.iter().enumerate() {
            if own_line || number > 0 {
                self.own_lines(indent);
                self.spaces(indent);
            }
            self.key(key);
            self.value(value, indent, false);
        }
    }

    fn block_list(&mut self, items: &[Tree], indent: usize) {
        for item in items {
            self.own_lines(indent);
            self.spaces(indent);
            self.out.push('-');
            match item {
                Tree::Map { entries, flow: false } => {
                    self.out.push(' ');
                    self.block_map(entries, indent + 2, false);
                }
                item => self.value(item, indent, true),
            }
        }
    }

    /// What stands behind a key's colon or an item's dash, to the end of its last line.
    fn value(&mut self, tree: &Tree, indent: usize, item: bool) {
        let deeper = indent + if item { 2 } else { self.step };
        match tree {
            Tree::Anchored(name, tree) => {
                self.out.push_str(&format!(" &{name}"));
                self.value(tree, indent, item);
            }
            Tree::Map { entries, flow: false } => {
                self.end_line();
                self.block_map(entries, deeper, true);
            }
            Tree::List { items, flow: false } => {
                self.end_line();
                let same = !item && self.tape.one_in(3);
                self.block_list(items, if same { indent } else { deeper });
            }
            Tree::Lines(sign, lines, _) => {
                self.out.push_str(&format!(" {sign}"));
                self.out.push_str(self.line_break);
                for line in lines {
                    if !line.is_empty() {
                        self.spaces(deeper);
                        self.out.push_str(line);
                    }
                    self.out.push_str(self.line_break);
                }
                if *sign == "|+" {
                    self.out.push_str(self.line_break);
                }
            }
            Tree::Scalar(text, _) if text.is_empty() => self.end_line(),
            tree => {
                let gap = self.tape.pick(&[" ", " ", "  "]);
                self.out.push_str(gap);
                match tree {
                    Tree::Scalar(text, _) => self.out.push_str(text),
                    tree => self.flow(tree, indent),
                }
                self.end_line();
            }
        }
    }

    fn flow(&mut self, tree: &Tree, indent: usize) {
        match tree {
            // Braces would be the collection's own.
            Tree::Scalar(text, _) if text.contains('{') && !text.starts_with(['\'', '"']) => {
                self.out.push_str(&format!("\"{text}\""));
            }
            Tree::Scalar(text, _) => self.out.push_str(text),
            Tree::Alias(name) => self.out.push_str(&format!("*{name}")),
            Tree::Map { entries, .. } => {
                let entries = entries.clone();
                self.braced('{', '}', indent, entries.len(), |maker, number| {
                    let (key, value) = &entries[number];
                    maker.key(key);
                    maker.out.push(' ');
                    maker.flow(value, indent);
                });
            }
            Tree::List { items, .. } => {
                let items = items.clone();
                self.braced('[', ']', indent, items.len(), |maker, number| {
                    maker.flow(&items[number], indent);
                });
            }
            Tree::Lines(..) | Tree::Anchored(..) => panic!("no line holds {tree:?}"),
        }
    }

    fn braced(
        &mut self,
        open: char,
        close: char,
        indent: usize,
        count: usize,
        each: impl Fn(&mut Self, usize),
    ) {
        let lines = count > 0 && self.tape.one_in(5);
        self.out.push(open);
        for number in 0..count {
            if lines {
                self.end_line();
                self.spaces(indent + self.step);
            } else if number > 0 || self.tape.one_in(3) {
                self.out.push(' ');
            }
            each(self, number);
            if number + 1 < count || (lines && self.tape.one_in(2)) {
                self.out.push(',');
            }
        }
        if lines {
            self.end_line();
            self.spaces(indent + 1);
        }
        self.out.push(close);
    }

    fn key(&mut self, key: &str) {
        match key {
            key if key.starts_with(['\'', '"']) => self.out.push_str(key),
            key if self.tape.one_in(9) && key != "<<" => self.out.push_str(&format!("\"{key}\"")),
            key => self.out.push_str(key),
        }
        self.out.push(':');
    }

    /// White space, perhaps a comment, and the end of the line.
    fn end_line(&mut self) {
        if self.tape.one_in(5) {
            let comment = self.tape.pick(&["  # why", " # \"quoted\" é", "  # image: old:1", " #"]);
            self.out.push_str(comment);
        } else if self.tape.one_in(6) {
            self.out.push_str("  ");
        }
        self.out.push_str(self.line_break);
    }

    /// Lines of their own: comments at any column, blank lines.
    fn own_lines(&mut self, indent: usize) {
        while self.tape.one_in(6) {
            match self.tape.of(3) {
                0 if !self.shares => self.out.push_str(self.line_break),
                _ => {
                    let column = self.tape.pick(&[indent, 0, indent + 1]);
                    // Deeper than a block scalar's key, a comment would be of its text.
                    self.spaces(if self.after_lines() { 0 } else { column });
                    self.out.push_str("# - image: commented/out:1");
                    self.out.push_str(self.line_break);
                }
            }
        }
    }

    fn after_lines(&self) -> bool {
        let last = self.out.trim_end_matches(['\n', '\r']).rsplit('\n').next().unwrap_or_default();
        ["exec server", "no comment", "last: line", "over lines", "kept"]
            .iter()
            .any(|end| last.ends_with(end))
    }

    fn spaces(&mut self, count: usize) {
        self.out.push_str(&" ".repeat(count));
    }
}
