//! Files that are left out for their names: told one by one as long as they are few.

use limosa_sql::{Diagnostic, Label};

use crate::codes::{CODE_MIGRATION, FOREIGN_NAME, NO_NAME_UNDERSTOOD, UNCLEAR_NAME};
use crate::formats::liquibase::told_of_other_name;

/// Files of one code that are told one by one, where there are more.
const SHOWN: usize = 3;

/// What is to be said of a file that nobody reads, in a folder without migrations, by its first bytes.
pub fn changelog_of_other_name(path: &str, head: &[u8]) -> Option<Diagnostic> {
    told_of_other_name(path, head)
}

fn is_left_out(problem: &Diagnostic) -> bool {
    [UNCLEAR_NAME, FOREIGN_NAME, CODE_MIGRATION].contains(&problem.code)
}

fn name(problem: &Diagnostic) -> &str {
    problem.labels.first().map_or("", |label| label.file.as_str())
}

fn advice(problem: &Diagnostic) -> String {
    [Some(problem.message.clone()), problem.help.clone()].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// Sums up many warnings of one kind. Where a folder holds files of SQL and none of them is read, that is an error: who runs
/// them must not hear that all is done.
pub fn told(problems: Vec<Diagnostic>, anything_is_read: bool) -> Vec<Diagnostic> {
    if anything_is_read && problems.iter().filter(|problem| is_left_out(problem)).count() <= SHOWN + 1 {
        return problems;
    }
    let (left_out, mut told): (Vec<Diagnostic>, Vec<Diagnostic>) = problems.into_iter().partition(is_left_out);
    if left_out.is_empty() {
        return told;
    }
    if !anything_is_read {
        let message = match left_out.len() {
            1 => "the only file with SQL has a name that is not read, so there is nothing to run".to_owned(),
            count => format!("none of the {count} files with SQL has a name that is read, so there is nothing to run"),
        };
        // Where errors end the command its warnings are not shown: the first name stands for all.
        let first = &left_out[0];
        let help = format!(
            "name the folder that is meant; or say how its files are named, such as --pattern 'V{{version}}.{{name}}.{{direction}}.sql'; or name \
             the files otherwise: {}",
            advice(first)
        );
        told.push(Diagnostic::error(NO_NAME_UNDERSTOOD, message).at(Label::file(name(first))).help(help));
    }
    for code in [UNCLEAR_NAME, FOREIGN_NAME, CODE_MIGRATION] {
        let all: Vec<&Diagnostic> = left_out.iter().filter(|problem| problem.code == code).collect();
        // "And one more" would be as long as that one.
        let shown = if all.len() > SHOWN + 1 { SHOWN } else { all.len() };
        told.extend(all[..shown].iter().map(|problem| (*problem).clone()));
        if let [_, .., last] = &all[shown..] {
            let message = format!("{} more files are left out for their names, up to this one", all.len() - shown);
            told.push(Diagnostic::warning(code, message).at(Label::file(name(last))));
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign(count: usize) -> Vec<Diagnostic> {
        let of = |number| Diagnostic::warning(FOREIGN_NAME, "left out").at(Label::file(format!("{number}.up.sql")));
        (1..=count).map(of).collect()
    }

    #[test]
    fn few_are_told_one_by_one_and_many_summed_up() {
        for (count, lines) in [(0, 0), (1, 1), (4, 4), (5, 4), (40, 4)] {
            assert_eq!(told(foreign(count), true).len(), lines, "{count}");
        }
        let told = told(foreign(40), true);
        assert!(told[3].message.starts_with("37 more files") && name(&told[3]) == "40.up.sql", "{told:?}");
    }

    #[test]
    fn a_folder_of_which_nothing_is_read_is_an_error() {
        assert!(told(Vec::new(), false).is_empty());
        let other = Diagnostic::warning(crate::codes::NO_STATEMENT, "empty");
        let problems = told([vec![other], foreign(2)].concat(), false);
        assert_eq!(problems.iter().filter(|problem| problem.is_error()).count(), 1);
        assert_eq!((problems.len(), problems[1].code), (4, NO_NAME_UNDERSTOOD));
        assert!(problems[1].message.contains("none of the 2 files with SQL"));
    }
}
