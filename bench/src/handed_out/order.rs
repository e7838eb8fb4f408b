//! In which order the functions of a program stand best in its file.
//!
//! A page of code that is touched brings its neighbours along (Linux maps 64 KiB around a fault), so that functions that are strewn over
//! the file fill the memory with others that nobody calls. What is used together stands together instead.

use std::collections::{BTreeMap, BTreeSet};

/// One run that was watched: with which engine, and the how-manyeth command it was.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Run {
    pub(super) engine: u8,
    pub(super) command: u8,
}

/// Each function that was run once: first those that all engines use, then each engine's own, and within these first those that most
/// commands use.
pub(super) fn order(runs: &[(Run, BTreeSet<String>)]) -> Vec<&str> {
    let mut users: BTreeMap<&str, BTreeSet<Run>> = BTreeMap::new();
    for (run, functions) in runs {
        for function in functions {
            users.entry(function).or_default().insert(*run);
        }
    }
    let mut placed: Vec<_> = users
        .into_iter()
        .map(|(function, runs)| {
            let engines: BTreeSet<u8> = runs.iter().map(|run| run.engine).collect();
            let commands: BTreeSet<u8> = runs.iter().map(|run| run.command).collect();
            let shared = (usize::MAX - engines.len(), engines);
            (shared, (usize::MAX - commands.len(), commands), function)
        })
        .collect();
    placed.sort();
    placed.into_iter().map(|(.., function)| function).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(engine: u8, command: u8, functions: &[&str]) -> (Run, BTreeSet<String>) {
        (Run { engine, command }, functions.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn what_is_shared_stands_first_and_each_engine_stands_together() {
        let runs = [
            run(0, 0, &["main", "plan", "pg_send", "pg_apply"]),
            run(0, 1, &["main", "table", "pg_send"]),
            run(1, 0, &["main", "plan", "step", "a_write"]),
            run(1, 1, &["main", "step"]),
        ];
        assert_eq!(order(&runs), ["main", "plan", "pg_send", "pg_apply", "table", "step", "a_write"]);
        assert!(order(&[]).is_empty());
    }
}
