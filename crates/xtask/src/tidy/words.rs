//! Words that do not belong into the project: places of one machine, and work left undone.
use super::Finding;
use super::tree::File;

/// A word, where it is not wanted, and why.
struct Word {
    text: &'static str,
    documents_only: bool,
    advice: &'static str,
}

const ONE_MACHINE: &str = "this is a place of one machine: write a path that everybody has";
const UNDONE: &str = "do it now, or write it where work is planned";

/// Put together from halves, so that this file does not find itself.
const WORDS: [Word; 7] = [
    Word { text: concat!("/wo", "rk/"), documents_only: false, advice: ONE_MACHINE },
    Word { text: concat!("/ro", "ot/"), documents_only: false, advice: ONE_MACHINE },
    Word { text: concat!("/ho", "me/"), documents_only: false, advice: ONE_MACHINE },
    Word { text: concat!("/Use", "rs/"), documents_only: false, advice: ONE_MACHINE },
    Word { text: concat!("/t", "mp/"), documents_only: true, advice: ONE_MACHINE },
    Word { text: concat!("TO", "DO"), documents_only: false, advice: UNDONE },
    Word { text: concat!("FIX", "ME"), documents_only: false, advice: UNDONE },
];

/// Checks every text file.
pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        let document = file.path.ends_with(".md");
        let words = || WORDS.iter().filter(|word| document || !word.documents_only);
        for (number, line) in file.text.lines().enumerate() {
            for word in words().filter(|word| stands_in(word.text, line)) {
                let advice = format!("`{}`: {}", word.text, word.advice);
                findings.push(Finding::new(&file.path, number + 1, "words", advice));
            }
        }
    }
    findings
}

/// A word stands in a line where no letter comes before it: `https://host/a/b` and `METHODOLOGY`
/// are something else.
fn stands_in(word: &str, line: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        !letter(before) && (word.ends_with('/') || !letter(after))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::file;

    #[test]
    fn each_word_is_seen_to_fail() {
        for word in &WORDS {
            let text = format!("fine\nsee `{}` there\n", word.text);
            let found = check(&[file("docs/guide.md", &text)]);
            assert_eq!(found.iter().map(|it| it.line).collect::<Vec<_>>(), [2], "{}", word.text);
            let in_code = check(&[file("crates/chain/src/lib.rs", &text)]);
            assert_eq!(in_code.is_empty(), word.documents_only, "{}", word.text);
        }
    }

    #[test]
    fn other_words_are_left_alone() {
        let text = format!("host{0}x METHO{1}LOGY {1}S", WORDS[0].text, WORDS[5].text);
        assert_eq!(check(&[file("docs/guide.md", &text)]), []);
    }
}
