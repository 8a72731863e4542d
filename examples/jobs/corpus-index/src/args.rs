//! The command line, parsed by hand: five flags do not earn a dependency in a job's image.
use std::path::PathBuf;

use crate::error::Error;

/// More threads than any machine on the market grants; a larger number is a typing mistake.
const THREADS_MAX: usize = 1024;

/// What `--help` prints.
pub(crate) const USAGE: &str = "\
Indexes a tar of source code and reports its duplicates.

  corpus-index --input FILE.tar --output DIR [--threads N]
  corpus-index query --index DIR [--phrase] TERM...

--threads defaults to the cores that this process may use.
query lists the documents with all terms, best first; --phrase wants them side by side.
";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Build(Build),
    Query(Query),
    Help,
}

/// Read an archive, write a result directory.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Build {
    pub(crate) input: PathBuf,
    pub(crate) output: PathBuf,
    pub(crate) threads: usize,
}

/// Ask a result directory.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) index: PathBuf,
    pub(crate) phrase: bool,
    pub(crate) terms: Vec<String>,
}

/// Turns arguments, without the program's name, into a command.
pub(crate) fn parse(args: impl Iterator<Item = String>) -> Result<Command, Error> {
    let mut args = args.peekable();
    match args.peek().map(String::as_str) {
        None | Some("--help" | "-h") => Ok(Command::Help),
        Some("query") => parse_query(args.skip(1)).map(Command::Query),
        Some(_) => parse_build(args).map(Command::Build),
    }
}

fn parse_build(mut args: impl Iterator<Item = String>) -> Result<Build, Error> {
    let (mut input, mut output, mut threads) = (None, None, None);
    while let Some(flag) = args.next() {
        match flag.as_str() {
            "--input" => input = Some(value(&flag, args.next())?.into()),
            "--output" => output = Some(value(&flag, args.next())?.into()),
            "--threads" => threads = Some(parse_threads(&value(&flag, args.next())?)?),
            _ => return Err(Error::Usage(format!("unknown argument `{flag}`"))),
        }
    }
    let granted = || std::thread::available_parallelism().map_or(1, usize::from);
    Ok(Build {
        input: input.ok_or_else(|| missing("--input"))?,
        output: output.ok_or_else(|| missing("--output"))?,
        threads: threads.unwrap_or_else(granted),
    })
}

fn parse_query(mut args: impl Iterator<Item = String>) -> Result<Query, Error> {
    let (mut index, mut phrase, mut terms) = (None, false, Vec::new());
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--index" => index = Some(value(&arg, args.next())?.into()),
            "--phrase" => phrase = true,
            _ if arg.starts_with("--") => {
                return Err(Error::Usage(format!("unknown argument `{arg}`")));
            }
            _ => terms.push(arg),
        }
    }
    if terms.is_empty() {
        return Err(Error::Usage("no term to look for".into()));
    }
    Ok(Query { index: index.ok_or_else(|| missing("--index"))?, phrase, terms })
}

fn parse_threads(text: &str) -> Result<usize, Error> {
    match text.parse() {
        Ok(threads) if (1..=THREADS_MAX).contains(&threads) => Ok(threads),
        _ => Err(Error::Usage(format!("`--threads {text}` is not a number from 1 to {THREADS_MAX}"))),
    }
}

fn value(flag: &str, value: Option<String>) -> Result<String, Error> {
    value.ok_or_else(|| Error::Usage(format!("`{flag}` wants a value")))
}

fn missing(flag: &str) -> Error {
    Error::Usage(format!("`{flag}` is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, Error> {
        parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn reads_both_commands() {
        let build = parsed("--input a.tar --output out --threads 3").unwrap();
        let expected = Build { input: "a.tar".into(), output: "out".into(), threads: 3 };
        assert_eq!(build, Command::Build(expected));
        let query = parsed("query --index out --phrase hash map").unwrap();
        let terms = vec!["hash".into(), "map".into()];
        assert_eq!(query, Command::Query(Query { index: "out".into(), phrase: true, terms }));
    }

    #[test]
    fn names_what_is_wrong() {
        for (line, why) in [
            ("--input a.tar", "`--output` is missing"),
            ("--input", "`--input` wants a value"),
            ("--input a --output b --threads 0", "not a number from 1"),
            ("--frobnicate", "unknown argument `--frobnicate`"),
            ("query --index a", "no term"),
            ("query a", "`--index` is missing"),
        ] {
            let error = parsed(line).unwrap_err();
            assert!(error.to_string().contains(why), "{line}: {error}");
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }
}
