//! How long a file and a function may be: what fits a reader's head.
use super::exceptions::{EXCEPTIONS, Exception};
use super::source::is_test_file;
use super::tree::File;
use super::{Finding, scan};

/// Lines of a file, its tests left out.
const FILE_LINES_MAX: usize = 400;
/// Lines of a function, from `fn` to the closing brace.
const FUNCTION_LINES_MAX: usize = 70;
/// Lines of the front door of a crate: modules in reading order and what they offer.
const LIB_LINES_MAX: usize = 99;
/// Lines of the picture of the whole.
const ARCHITECTURE_LINES_MAX: usize = 299;
const ARCHITECTURE: &str = "ARCHITECTURE.md";

const FILE_RULE: &str = "file-size";
const FUNCTION_RULE: &str = "function-size";

/// Checks all sizes against the limits and the exceptions.
pub(super) fn check(files: &[File]) -> Vec<Finding> {
    check_with(files, EXCEPTIONS)
}

/// One thing that was measured.
struct Measured<'a> {
    path: &'a str,
    function: Option<String>,
    line: usize,
    lines: usize,
}

fn check_with(files: &[File], exceptions: &[Exception]) -> Vec<Finding> {
    let measured: Vec<_> = files.iter().flat_map(measure).collect();
    let mut findings: Vec<_> = measured.iter().filter_map(|it| judge(it, exception_for(it, exceptions))).collect();
    for exception in exceptions {
        if !measured.iter().any(|it| is_for(exception, it)) {
            let advice = "take it off the list of exceptions: it is no longer there";
            findings.push(Finding::new(exception.path, 1, FILE_RULE, advice));
        }
    }
    findings.extend(files.iter().filter_map(check_front_door));
    findings
}

fn measure(file: &File) -> Vec<Measured<'_>> {
    let path = file.path.as_str();
    let whole = |lines| Measured { path, function: None, line: 1, lines };
    let lines = file.text.lines().count();
    if path.starts_with("contracts/src/") && path.ends_with(".sol") {
        return vec![whole(lines)];
    }
    if !file.is_rust() || is_test_file(path) {
        return Vec::new();
    }
    // A file that cannot be read is a finding of another rule.
    let facts = scan::scan(&file.text).unwrap_or_default();
    let functions = facts.functions.into_iter().map(|function| Measured {
        path,
        function: Some(function.name),
        line: function.line,
        lines: function.lines,
    });
    let lines = lines.saturating_sub(facts.test_lines);
    std::iter::once(whole(lines)).chain(functions).collect()
}

fn is_for(exception: &Exception, measured: &Measured<'_>) -> bool {
    exception.path == measured.path && exception.function == measured.function.as_deref()
}

fn exception_for<'a>(measured: &Measured<'_>, exceptions: &'a [Exception]) -> Option<&'a Exception> {
    exceptions.iter().find(|exception| is_for(exception, measured))
}

fn judge(measured: &Measured<'_>, exception: Option<&Exception>) -> Option<Finding> {
    let Measured { path, function, line, lines } = measured;
    let (rule, max) = match function {
        Some(_) => (FUNCTION_RULE, FUNCTION_LINES_MAX),
        None => (FILE_RULE, FILE_LINES_MAX),
    };
    let what = function.as_deref().map_or_else(|| "the file".into(), |name| format!("`{name}`"));
    let advice = match exception {
        None if *lines > max => format!("{what} has {lines} lines, the limit is {max}: split it"),
        Some(_) if *lines <= max => {
            format!("{what} has {lines} lines: take it off the list of exceptions")
        }
        Some(granted) if *lines > granted.lines => {
            format!("{what} has grown to {lines} lines from {}: split it", granted.lines)
        }
        Some(granted) if *lines < granted.lines => {
            format!("{what} has shrunk to {lines} lines: shrink its exception too")
        }
        _ => return None,
    };
    Some(Finding::new(path, *line, rule, advice))
}

fn check_front_door(file: &File) -> Option<Finding> {
    let lines = file.text.lines().count();
    let (rule, max, advice) = if file.path == ARCHITECTURE {
        ("architecture-size", ARCHITECTURE_LINES_MAX, "a picture that is not read is none: cut it")
    } else if file.path.starts_with("crates/") && file.path.ends_with("/src/lib.rs") {
        ("lib-size", LIB_LINES_MAX, "a front door holds no furniture: move code into modules")
    } else {
        return None;
    };
    let finding = || Finding::new(&file.path, max + 1, rule, format!("{lines} lines; {advice}"));
    (lines > max).then(finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{file, shown};

    const LONG: &str = "crates/chain/src/long.rs";

    fn rust(functions: &[usize], tests: usize) -> String {
        let mut text = String::from("//! Long.\n");
        for (n, lines) in functions.iter().enumerate() {
            text += &format!("fn f{n}() {{\n{}}}\n", "    x;\n".repeat(lines - 2));
        }
        text + &format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "    fn t() {}\n".repeat(tests))
    }

    fn exception(function: Option<&'static str>, lines: usize) -> Exception {
        Exception { path: LONG, function, lines, reason: "a test" }
    }

    fn check_long(text: &str, exceptions: &[Exception], expected: &[&str]) {
        let found = shown(&check_with(&[file(LONG, text)], exceptions));
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.contains(expected), "{found}");
        }
    }

    #[test]
    fn limits_hold_and_tests_do_not_count() {
        check_long(&rust(&[70; 5], 900), &[], &[]);
        check_long(&rust(&[71], 0), &[], &[":2: function-size: `f0` has 71 lines"]);
        check_long(&rust(&[70; 6], 0), &[], &[":1: file-size: the file has 421 lines"]);
    }

    #[test]
    fn exceptions_only_shrink() {
        let text = rust(&[80], 0);
        check_long(&text, &[exception(Some("f0"), 80)], &[]);
        check_long(&text, &[exception(Some("f0"), 79)], &["has grown to 80 lines from 79"]);
        check_long(&text, &[exception(Some("f0"), 81)], &["has shrunk to 80 lines"]);
        check_long(&rust(&[9], 0), &[exception(Some("f0"), 80)], &["take it off the list"]);
        check_long(&rust(&[9], 0), &[exception(Some("gone"), 80)], &["no longer there"]);
    }

    #[test]
    fn front_doors_are_small() {
        let lib = |lines| file("crates/chain/src/lib.rs", &"//! A.\n".repeat(lines));
        assert_eq!(check_with(&[lib(99)], &[]), []);
        assert!(shown(&check_with(&[lib(100)], &[]))[0].contains(":100: lib-size: 100 lines"));
        let picture = |lines| file("ARCHITECTURE.md", &"text\n".repeat(lines));
        assert_eq!(check_with(&[picture(299)], &[]), []);
        assert_eq!(check_with(&[picture(300)], &[])[0].rule, "architecture-size");
        let contract = |lines| file("contracts/src/Market.sol", &"// text\n".repeat(lines));
        assert_eq!(check_with(&[contract(400)], &[]), []);
        assert_eq!(check_with(&[contract(401)], &[])[0].rule, "file-size");
    }
}
