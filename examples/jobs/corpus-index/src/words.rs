//! Text into words the way a programmer searches: identifiers, and the parts of identifiers.

/// The longest word that is indexed; beyond it stand keys, hashes and encoded blobs.
const WORD_BYTES_MAX: usize = 64;
/// The shortest part of an identifier that is worth an entry of its own.
const PART_BYTES_MIN: usize = 2;

/// Calls `each(word, position, whole)` for every identifier in lower case (`whole`), and for the
/// parts of `snake_case` and `CamelCase` ones at the same position. Returns the positions used.
pub(crate) fn each(text: &str, mut each: impl FnMut(&str, u32, bool)) -> u32 {
    let (mut position, mut lower) = (0, String::new());
    for word in text.split(|c: char| !c.is_alphanumeric() && c != '_') {
        let word = word.trim_matches('_');
        if word.is_empty() || word.len() > WORD_BYTES_MAX {
            continue;
        }
        lower_into(&mut lower, word);
        each(&lower, position, true);
        for part in parts(word).filter(|part| part.len() < word.len()) {
            if part.len() >= PART_BYTES_MIN {
                lower_into(&mut lower, part);
                each(&lower, position, false);
            }
        }
        position += 1;
    }
    position
}

fn lower_into(lower: &mut String, word: &str) {
    lower.clear();
    if word.is_ascii() {
        lower.push_str(word);
        lower.make_ascii_lowercase();
    } else {
        lower.extend(word.chars().flat_map(char::to_lowercase));
    }
}

/// `HTTPServer_v2` → `HTTP`, `Server`, `v2`.
fn parts(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches('_');
        if rest.is_empty() {
            return None;
        }
        let (part, after) = rest.split_at(part_end(rest));
        rest = after;
        Some(part)
    })
}

fn part_end(text: &str) -> usize {
    let mut before: Option<char> = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c == '_' {
            return at;
        }
        let next_is_lower = chars.peek().is_some_and(|(_, next)| next.is_lowercase());
        if let Some(before) = before {
            let word_begins = !before.is_uppercase() || next_is_lower;
            if c.is_uppercase() && word_begins {
                return at;
            }
        }
        before = Some(c);
    }
    text.len()
}

#[cfg(test)]
mod tests {
    fn check(text: &str, expected: &str) {
        let mut seen = Vec::new();
        super::each(text, |word, at, whole| {
            seen.push(format!("{word}{}{at}", if whole { '@' } else { '~' }));
        });
        assert_eq!(seen.join(" "), expected, "{text}");
    }

    #[test]
    fn identifiers_and_their_parts() {
        check("let x = HashMap::new();", "let@0 x@1 hashmap@2 hash~2 map~2 new@3");
        check("snake_case_name", "snake_case_name@0 snake~0 case~0 name~0");
        check("HTTPServer parseURL", "httpserver@0 http~0 server~0 parseurl@1 parse~1 url~1");
        check("__init__ _ u8x16", "init@0 u8x16@1");
        check("Größe Straße", "größe@0 straße@1");
    }

    #[test]
    fn blobs_are_left_out() {
        check(&format!("a {} b", "f".repeat(65)), "a@0 b@1");
    }
}
