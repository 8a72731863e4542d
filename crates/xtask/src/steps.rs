//! Named steps one after another, all of them even when one fails, and a table at the end.
use std::time::{Duration, Instant};

use crate::context::Context;
use crate::error::Error;
use crate::ui;

/// A name for the table, and what to do.
pub(crate) struct Step<'a> {
    name: &'static str,
    work: Box<dyn FnOnce() -> Result<(), Error> + 'a>,
}

impl<'a> Step<'a> {
    pub(crate) fn new(name: &'static str, work: impl FnOnce() -> Result<(), Error> + 'a) -> Self {
        Self { name, work: Box::new(work) }
    }
}

struct Done {
    name: &'static str,
    took: Duration,
    error: Option<Error>,
}

/// Runs every step; an error if any failed. Ctrl-C ends it at once.
pub(crate) fn run(context: &Context, title: &str, steps: Vec<Step<'_>>) -> Result<(), Error> {
    let mut done = Vec::new();
    for step in steps {
        ui::note(&format!("── {title}: {}", step.name));
        let started = Instant::now();
        let error = (step.work)().err();
        if context.is_interrupted() {
            return Err(Error::Interrupted);
        }
        if let Some(error) = &error {
            ui::note(&format!("{}: {error}", step.name));
        }
        done.push(Done { name: step.name, took: started.elapsed(), error });
    }
    ui::note(&table(title, &done));
    let failed: Vec<_> = done.iter().filter(|step| step.error.is_some()).map(|step| step.name).collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Error::Steps { count: failed.len(), of: done.len(), names: failed.join(", ") })
}

fn table(title: &str, done: &[Done]) -> String {
    let width = done.iter().map(|step| step.name.len()).max().unwrap_or(0).max(title.len());
    let mut table = format!("\n{title:width$}   result        time");
    for Done { name, took, error } in done {
        let result = if error.is_some() { "FAILED" } else { "ok" };
        table += &format!("\n{name:width$}   {result:8} {:8.1} s", took.as_secs_f64());
    }
    let total: Duration = done.iter().map(|step| step.took).sum();
    table + &format!("\n{:width$}            {:8.1} s\n", "total", total.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_does_not_hide_the_steps_after_it() {
        let context = Context::new().unwrap();
        let mut reached = false;
        let steps = vec![
            Step::new("first", || Err(Error::Findings(3))),
            Step::new("second", || {
                reached = true;
                Ok(())
            }),
        ];
        let error = run(&context, "test", steps).unwrap_err();
        assert_eq!(error.to_string(), "1 of 2 steps failed: first");
        assert!(reached);
    }
}
