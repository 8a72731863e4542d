//! Every function of the market that changes something has its specification and its test.
use super::Finding;
use super::tree::File;

/// The contract, and the parts that it is put together from.
const SOURCES: [&str; 2] = ["contracts/src/Market.sol", "contracts/src/market/"];
const TESTS: &str = "contracts/test/market";

/// Checks that `<function>.tree` and `<function>.t.sol` exist.
pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let is_source = |file: &&File| SOURCES.iter().any(|source| file.path.starts_with(source));
    let mut findings = Vec::new();
    for file in files.iter().filter(is_source) {
        for (line, name) in changing_functions(&file.text) {
            for extension in ["tree", "t.sol"] {
                let wanted = format!("{TESTS}/{name}.{extension}");
                if !files.iter().any(|file| file.path == wanted) {
                    let advice = format!("`{name}` moves money or state: write {wanted}");
                    findings.push(Finding::new(&file.path, line, "contract-test", advice));
                }
            }
        }
    }
    findings
}

/// External functions that are neither `view` nor `pure`, with their lines.
fn changing_functions(text: &str) -> Vec<(usize, String)> {
    let code = without_comments(text);
    let mut functions = Vec::new();
    for (at, _) in code.match_indices("function ") {
        let head = &code[at + "function ".len()..];
        let head = &head[..head.find(['{', ';']).unwrap_or(head.len())];
        let Some((name, rest)) = head.split_once('(') else {
            continue;
        };
        let has = |word: &str| rest.split(|c: char| !c.is_alphanumeric() && c != '_').any(|it| it == word);
        if (has("external") || has("public")) && !has("view") && !has("pure") {
            functions.push((1 + code[..at].matches('\n').count(), name.trim().to_string()));
        }
    }
    functions
}

/// Comments become blanks, so that lines keep their numbers.
fn without_comments(text: &str) -> String {
    let (mut code, mut rest) = (String::new(), text);
    while let Some(at) = rest.find("//").into_iter().chain(rest.find("/*")).min() {
        code.push_str(&rest[..at]);
        let block = rest[at..].starts_with("/*");
        let end = if block {
            rest[at..].find("*/").map(|end| at + end + 2)
        } else {
            rest[at..].find('\n').map(|end| at + end)
        };
        let end = end.unwrap_or(rest.len());
        code.extend(rest[at..end].chars().filter(|&c| c == '\n'));
        rest = &rest[end..];
    }
    code + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{file, shown};

    const MARKET: &str = "\
// function commented() external {}
/* function blocked()
   external {} */
contract Market {
    /// @notice function documented() external
    function stopJob(Terms calldata terms)
        external
        nonReentrant
    {}
    function getJob(bytes32 id) external view returns (State memory) {}
    function jobIdOf(Terms calldata terms) public pure returns (bytes32) {}
    function _end() internal {}
}
";

    #[test]
    fn a_function_without_its_two_files_is_found() {
        let market = || file("contracts/src/Market.sol", MARKET);
        let found = shown(&check(&[market()]));
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with("contracts/src/Market.sol:6: contract-test: `stopJob`"), "{found:?}");
        let tree = file("contracts/test/market/stopJob.tree", "");
        assert!(shown(&check(&[market(), tree]))[0].contains("stopJob.t.sol"));
        let tree = file("contracts/test/market/stopJob.tree", "");
        let test = file("contracts/test/market/stopJob.t.sol", "");
        assert_eq!(check(&[market(), tree, test]), []);
        let part = file("contracts/src/market/Registry.sol", "function setAgent() external {}");
        assert_eq!(check(&[part]).len(), 2);
    }
}
