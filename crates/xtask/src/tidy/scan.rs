//! What a Rust file contains, read from its tokens: functions and their sizes, what is test code,
//! and the calls that the rules ask about. Tokens see through strings and comments, and into the
//! arguments of macros, where a syntax tree ends.
use std::str::FromStr;

use proc_macro2::{Delimiter, Group, LexError, TokenStream, TokenTree};

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) line: usize,
    /// From `fn` to the closing brace.
    pub(super) lines: usize,
}

/// What was found outside tests; lines count from 1.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) functions: Vec<Function>,
    /// Lines of items that are compiled for tests only.
    pub(super) test_lines: usize,
    /// `.unwrap()`, `.expect(…)` and `panic!(…)`, without those that an `expect` lint excuses.
    pub(super) aborts: Vec<(usize, &'static str)>,
    /// Uses of `std::env`.
    pub(super) environment: Vec<usize>,
    /// `#[allow(…)]`, in tests too.
    pub(super) allows: Vec<usize>,
}

/// Reads a file.
pub(super) fn scan(text: &str) -> Result<Facts, LexError> {
    let mut facts = Facts::default();
    facts.read(TokenStream::from_str(text)?, Region::default());
    Ok(facts)
}

/// Lints that a reason may excuse with `#[expect(…)]`.
const EXCUSABLE: [&str; 3] = ["unwrap_used", "expect_used", "panic"];

/// What holds for a stretch of tokens.
#[derive(Clone, Copy, Default)]
struct Region {
    test: bool,
    excused: bool,
}

/// An item on its way: what its attributes said, and its name if it is a function.
#[derive(Default)]
struct Item {
    region: Region,
    first_line: Option<usize>,
    function: Option<(String, usize)>,
}

impl Facts {
    fn read(&mut self, tokens: TokenStream, mut region: Region) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut item = Item::default();
        let mut at = 0;
        while at < tokens.len() {
            let rest = &tokens[at..];
            if let Some((attribute, inner, length)) = attribute(rest) {
                let said = self.read_attribute(attribute);
                let target = if inner { &mut region } else { &mut item.region };
                target.test |= said.test;
                target.excused |= said.excused;
                item.first_line.get_or_insert(line_of(&rest[0]));
                at += length;
                continue;
            }
            if !region.test && !item.region.test {
                self.note_uses(rest, region.excused || item.region.excused);
            }
            match &rest[0] {
                TokenTree::Ident(word) if word == "fn" => {
                    if let Some(TokenTree::Ident(name)) = rest.get(1) {
                        item.function = Some((name.to_string(), line_of(&rest[0])));
                    }
                }
                TokenTree::Punct(mark) if mark.as_char() == ';' => {
                    // A declaration without a body has no size.
                    item.function = None;
                    self.end(&std::mem::take(&mut item), region, line_of(&rest[0]));
                }
                TokenTree::Group(group) => {
                    let within = Region {
                        test: region.test || item.region.test,
                        excused: region.excused || item.region.excused,
                    };
                    self.read(group.stream(), within);
                    if group.delimiter() == Delimiter::Brace {
                        let last_line = group.span_close().end().line;
                        self.end(&std::mem::take(&mut item), region, last_line);
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// An item ends with its body or with a semicolon.
    fn end(&mut self, item: &Item, region: Region, last_line: usize) {
        if item.region.test && !region.test {
            let first = item.first_line.unwrap_or(last_line);
            self.test_lines += last_line + 1 - first;
        }
        if let Some((name, line)) = &item.function
            && !item.region.test
            && !region.test
        {
            let (name, line) = (name.clone(), *line);
            self.functions.push(Function { name, line, lines: last_line + 1 - line });
        }
    }

    fn read_attribute(&mut self, attribute: &Group) -> Region {
        let words = words(attribute.stream());
        let first = words.first().map_or("", String::as_str);
        if first == "allow" {
            self.allows.push(attribute.span_open().start().line);
        }
        let about_tests = first == "cfg" && words.iter().any(|word| word == "test");
        let negated = words.iter().any(|word| word == "not");
        let path = attribute
            .stream()
            .into_iter()
            .take_while(|token| matches!(token, TokenTree::Ident(_) | TokenTree::Punct(_)));
        let names_test = path.last().is_some_and(|token| token.to_string() == "test");
        let excuses = words.iter().any(|word| EXCUSABLE.contains(&word.as_str()));
        Region { test: names_test || (about_tests && !negated), excused: first == "expect" && excuses }
    }

    fn note_uses(&mut self, rest: &[TokenTree], excused: bool) {
        let line = line_of(&rest[0]);
        let word = |at: usize| match rest.get(at) {
            Some(TokenTree::Ident(word)) => word.to_string(),
            _ => String::new(),
        };
        let mark = |at: usize, c: char| matches!(rest.get(at), Some(TokenTree::Punct(mark)) if mark.as_char() == c);
        if !excused && mark(0, '.') && matches!(rest.get(2), Some(TokenTree::Group(_))) {
            match word(1).as_str() {
                "unwrap" => self.aborts.push((line, ".unwrap()")),
                "expect" => self.aborts.push((line, ".expect(…)")),
                _ => {}
            }
        }
        if !excused && word(0) == "panic" && mark(1, '!') {
            self.aborts.push((line, "panic!(…)"));
        }
        if word(0) == "std" && mark(1, ':') && mark(2, ':') {
            let listed = match rest.get(3) {
                Some(TokenTree::Group(list)) => words(list.stream()).iter().any(|it| it == "env"),
                // What the compiler knew is the same wherever the program runs.
                _ => word(3) == "env" && word(6) != "consts",
            };
            if listed {
                self.environment.push(line);
            }
        }
    }
}

/// An attribute at the start of `rest`: its brackets, whether it is an inner one, its length.
fn attribute(rest: &[TokenTree]) -> Option<(&Group, bool, usize)> {
    let is = |token: &TokenTree, c| matches!(token, TokenTree::Punct(it) if it.as_char() == c);
    match rest {
        [hash, TokenTree::Group(group), ..] if is(hash, '#') && group.delimiter() == Delimiter::Bracket => {
            Some((group, false, 2))
        }
        [hash, bang, TokenTree::Group(group), ..] if is(hash, '#') && is(bang, '!') => Some((group, true, 3)),
        _ => None,
    }
}

/// All identifiers, at any depth.
fn words(tokens: TokenStream) -> Vec<String> {
    let mut words_found = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Ident(word) => words_found.push(word.to_string()),
            TokenTree::Group(group) => words_found.extend(words(group.stream())),
            _ => {}
        }
    }
    words_found
}

fn line_of(token: &TokenTree) -> usize {
    token.span().start().line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_measured_outside_tests() {
        let text = "\
//! Header with fn not_me() {} in it.
fn one() -> &'static str {
    \"fn nor_me() {}\"
}
impl A {
    /// Doc.
    pub(crate) async fn two<A, B>(self) where A: Fn(fn()) {
        macro_call! { fn three() {
        } }
    }
}
trait T { fn without_body(&self); }
#[cfg(test)]
mod tests {
    fn helper() {}
}
#[cfg(not(test))]
fn four() {}
";
        let facts = scan(text).unwrap();
        let found: Vec<_> = facts.functions.iter().map(|f| (f.name.as_str(), f.line, f.lines)).collect();
        assert_eq!(found, [("one", 2, 3), ("three", 8, 2), ("two", 7, 4), ("four", 18, 1)]);
        assert_eq!(facts.test_lines, 4);
    }

    #[test]
    fn aborts_are_found_where_they_count() {
        let text = "\
fn a() { b.unwrap(); join!(c.expect(\"text\")); }
fn d() { if e { panic!(\"f\") } }
fn fine() { g.unwrap_or(1); h.expect_err(2); \".unwrap()\"; /* panic!() */ }
#[expect(clippy::unwrap_used, reason = \"why\")]
fn excused() { i.unwrap() }
#[tokio::test]
async fn j() { k.unwrap() }
#[cfg(all(test, unix))]
mod tests { fn l() { m.unwrap() } }
fn last() { n.unwrap() }
";
        let found = scan(text).unwrap().aborts;
        let expected = [(1, ".unwrap()"), (1, ".expect(…)"), (2, "panic!(…)"), (10, ".unwrap()")];
        assert_eq!(found, expected);
    }

    #[test]
    fn the_environment_is_seen_in_paths_and_lists() {
        let text = "\
use std::{env, fs};
use std::env::var;
fn a() { std::env::args(); env!(\"CARGO_PKG_NAME\"); environment::std(); std::env::consts::ARCH; }
use std::fs;
";
        assert_eq!(scan(text).unwrap().environment, [1, 2, 3]);
    }

    #[test]
    fn allow_is_seen_everywhere() {
        let text =
            "#![allow(a)]\n#[expect(b, reason = \"c\")]\nfn d() {}\n#[cfg(test)]\nmod t { #[allow(e)]\nfn f() {} }\n";
        assert_eq!(scan(text).unwrap().allows, [1, 5]);
    }
}
