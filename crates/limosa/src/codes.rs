//! Every code that a diagnostic of limosa's can have, with its meaning, what causes it and what to do: `limosa explain` and the
//! pages of `docs/errors` are made from it.

mod commands;
mod databases;
mod files;
mod plans;
mod runs;
mod settings;
mod sql_text;

/// A code, what causes it, and what to do about it; both in Markdown.
type Cause = (&'static str, &'static str, &'static str);

/// What there is to say about a code.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Explanation {
    /// The code: `LIM-R002`.
    pub code: &'static str,
    /// The group that it belongs to: `Runs`.
    pub group: &'static str,
    /// What it means, in a line.
    pub meaning: &'static str,
    /// What causes it, in Markdown.
    pub cause: &'static str,
    /// What to do, in Markdown.
    pub remedy: &'static str,
}

/// Explains a code, written as in a message or shorter: `LIM-R002`, `lim-r002`, `R002`. None where there is no such code.
pub fn explain(code: &str) -> Option<Explanation> {
    let code = code.trim().to_ascii_uppercase();
    let wanted = if code.starts_with("LIM-") { code } else { format!("LIM-{code}") };
    explanations().into_iter().find(|explanation| explanation.code == wanted)
}

/// All codes, in the order of their groups.
pub fn explanations() -> Vec<Explanation> {
    let tables =
        [settings::TABLE, files::TABLE, sql_text::TABLE, plans::TABLE, runs::TABLE, databases::TABLE, commands::TABLE];
    let causes: std::collections::HashMap<&str, &Cause> =
        tables.into_iter().flatten().map(|cause| (cause.0, cause)).collect();
    let explained = |group, (code, meaning)| {
        let (_, cause, remedy) = causes.get(code).copied().unwrap_or(&("", "", ""));
        Explanation { code, group, meaning, cause, remedy }
    };
    groups().into_iter().flat_map(|(group, codes)| codes.into_iter().map(move |code| explained(group, code))).collect()
}

/// Codes of the database (`D`), of commands (`U`) and of reading files (`F9..`).
const OWN: &[(&str, &str)] = &[
    ("LIM-D001", "the database URL or its parameters make no sense"),
    ("LIM-D002", "no connection can be made"),
    ("LIM-D003", "the server refuses user or password"),
    ("LIM-D004", "the database does not exist"),
    ("LIM-D005", "a right is missing"),
    ("LIM-D006", "the database, or the session, is read-only"),
    ("LIM-D007", "the connection was lost"),
    ("LIM-D008", "the server is out of disk or memory"),
    ("LIM-D009", "the database refused something else"),
    ("LIM-D010", "a SQLite file does not exist yet"),
    ("LIM-D011", "a restore or a clean of the database has not come to its end"),
    ("LIM-F900", "a file or folder cannot be read"),
    ("LIM-F901", "a recorded rollback cannot be run in transactions as it stands"),
    ("LIM-U001", "the plan is not the one that was looked at before"),
    ("LIM-U002", "--auto-rollback in a protected environment"),
    ("LIM-U003", "the environment is protected, or its database is never emptied"),
    ("LIM-U004", "consent that names the database is missing"),
    ("LIM-U005", "--auto-rollback takes nothing back, because a migration stopped half-way"),
    ("LIM-U006", "--auto-rollback leaves what has no way back, and what it stands on"),
    ("LIM-U007", "callbacks are not part of an executed dry run"),
    ("LIM-U010", "the head of the audit log could not be appended to the anchor file"),
    ("LIM-U011", "the anchor file cannot be read"),
    ("LIM-U012", "an anchor is not authentic"),
    ("LIM-U013", "the audit log was tampered with"),
    ("LIM-U014", "a plan cannot be written as a script: it holds data that is not UTF-8"),
    ("LIM-U015", "a migration that is code cannot be written as a script"),
    ("LIM-U020", "no migration lies within a baseline"),
    ("LIM-U021", "a baseline would cover what limosa applied"),
    ("LIM-U030", "a change is applied already"),
    ("LIM-U031", "no file defines a change"),
    ("LIM-U032", "a change is not in the ledger"),
    ("LIM-U033", "no statement of a change is in doubt"),
    ("LIM-U034", "another statement than the named one is in doubt"),
    ("LIM-U040", "a file or folder of 'init' cannot be written"),
    ("LIM-U050", "a title names nothing"),
    ("LIM-U051", "a new migration cannot be written"),
    ("LIM-U052", "a template needs an option that was not given"),
    ("LIM-U053", "a template has no use for an option"),
    ("LIM-U054", "an option of a template is no name, type or expression"),
    ("LIM-U055", "a migration of this name is there already"),
    ("LIM-U056", "a migration cannot get another version"),
    ("LIM-U057", "'new --renumber' found nothing to renumber"),
    ("LIM-U058", "something names a migration that got another version, and must be changed by hand"),
    ("LIM-U060", "the backup folder cannot be made"),
    ("LIM-U061", "there is no backup"),
    ("LIM-U062", "the database is restored, but the audit log does not say so"),
    ("LIM-U070", "'clean' would destroy what other projects made"),
    ("LIM-U071", "the folder of seeds holds no seed"),
    ("LIM-U072", "a reset ended after its clean, which stands"),
    ("LIM-U073", "a clean ended in the middle"),
    ("LIM-U080", "'doctor' found an error"),
    ("LIM-U081", "'doctor' found something worth knowing"),
    ("LIM-U090", "a command, a flag or a value of a flag is not understood"),
    ("LIM-U091", "an answer of a person is needed, and there is no terminal to ask"),
    ("LIM-U092", "a person did not agree"),
    ("LIM-U093", "the operating system refuses what the command needs to run"),
    ("LIM-U094", "no database is named"),
    ("LIM-U095", "the answer could not be written"),
    ("LIM-U096", "a page of the manual or a completion cannot be written"),
    ("LIM-U097", "a setting is not known"),
    ("LIM-U098", "the metrics of a run could not be written"),
    ("LIM-U099", "the spans of a run could not be sent"),
    ("LIM-U100", "what an application gave to its migrator does not fit together"),
    ("LIM-U101", "the address of a scratch database leads to another one"),
    ("LIM-U102", "a scratch database cannot be migrated to a version that is none"),
    ("LIM-U103", "a scratch database could not be taken away"),
    ("LIM-U110", "there is no ledger of another tool that could be taken over"),
    ("LIM-U111", "several tools have migrated the database, and none is named"),
    ("LIM-U112", "another tool is recognised, and its migrations are code"),
    ("LIM-U113", "another tool left something half done"),
    ("LIM-U114", "files were changed since another tool applied them"),
    ("LIM-U115", "another tool has migrations on record, and none of them has a file here"),
    ("LIM-U116", "nothing was taken over that could be given back"),
    ("LIM-U117", "the tool that a database is given back to cannot be told of everything"),
    ("LIM-U118", "the ledger of another tool may not be read"),
    ("LIM-U119", "limosa has migrations on record where a database is to be taken over"),
    ("LIM-U120", "another tool has applied what has no file here"),
    ("LIM-U121", "another tool has passed over a file"),
    ("LIM-U122", "the database is not what its migrations make"),
    ("LIM-U123", "a proof cannot be made where it was asked for"),
    ("LIM-U130", "the program git cannot be started"),
    ("LIM-U131", "a folder of migrations lies in no checkout, in another one, or in a submodule"),
    ("LIM-U132", "git knows no such branch, tag or commit"),
    ("LIM-U133", "two branches have no commit in common here"),
    ("LIM-U134", "git failed"),
    ("LIM-U135", "a part of a folder of migrations cannot be compared with another branch"),
    ("LIM-U140", "another tool's ledger that is kept too does not agree with limosa's, or is gone"),
    ("LIM-U141", "another tool's ledger cannot be kept beside limosa's"),
    ("LIM-U142", "the folder of an export is not empty, or cannot be written"),
    ("LIM-U143", "a migration cannot be given to another tool"),
    ("LIM-U144", "another tool cannot hold something of the project"),
    ("LIM-U145", "the table of another tool is there already"),
    ("LIM-U156", "the registry of Sqitch beside the database cannot be read"),
    ("LIM-U157", "another tool has tried a migration, which failed, and has not run it since"),
    ("LIM-U158", "a file of another tool's settings, which may name its table, cannot be read"),
    ("LIM-U159", "files are read as one format, and the ledger of a tool with another one is here"),
    ("LIM-U160", "files have turned up of what another tool had applied"),
    ("LIM-U161", "a file that has turned up is not the one that another tool had applied"),
    ("LIM-U162", "another tool keeps a ledger here, in another place than where it is looked for"),
    ("LIM-U163", "the table of another tool has columns that limosa does not know"),
    ("LIM-U164", "the table of another tool cannot be written: it must have values that limosa does not know"),
    ("LIM-U165", "names without a schema meant another one to the tool that the database was taken over from"),
    ("LIM-U166", "a file comes late that the tool whose ledger is kept passes over"),
    ("LIM-U167", "a file that stopped half-way cannot be accepted: it has fewer statements than ran"),
    ("LIM-U170", "the default schema that another tool's settings name is not there"),
    ("LIM-U175", "the settings of another tool name different tables, and nothing says which one is meant"),
    ("LIM-U180", "the migrations of this project were taken over from another table than that of these files"),
    ("LIM-U181", "the settings of another tool name another database for its changes than the address does"),
];

/// Groups of codes: a title, and the codes with their meanings.
pub fn groups() -> Vec<(&'static str, Vec<(&'static str, &'static str)>)> {
    let own = |letter: &str| {
        let prefix = format!("LIM-{letter}");
        OWN.iter().filter(|(code, _)| code.starts_with(&prefix)).copied().collect::<Vec<_>>()
    };
    let files = limosa_formats::codes::TABLE.iter().copied().chain(own("F")).collect();
    vec![
        ("Settings", crate::settings::codes::TABLE.to_vec()),
        ("Files", files),
        ("SQL text", limosa_sql::codes::TABLE.to_vec()),
        ("Plans: what history and files do not allow", limosa_core::codes::TABLE.to_vec()),
        ("Runs", limosa_run::codes::TABLE.to_vec()),
        ("Databases", own("D")),
        ("Commands", own("U")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_however_it_is_written() {
        for written in ["LIM-R002", "lim-r002", "R002", " r002\n"] {
            assert_eq!(explain(written).map(|explanation| explanation.code), Some("LIM-R002"), "{written}");
        }
        assert_eq!(explain("LIM-X999"), None);
        assert_eq!(explain(""), None);
    }

    #[test]
    fn every_code_says_what_causes_it_and_what_to_do_and_nothing_else_does() {
        let all = explanations();
        for explanation in &all {
            let both = [explanation.cause, explanation.remedy];
            assert!(both.iter().all(|text| text.ends_with('.')), "write it: {}", explanation.code);
        }
        let tables = [
            settings::TABLE,
            files::TABLE,
            sql_text::TABLE,
            plans::TABLE,
            runs::TABLE,
            databases::TABLE,
            commands::TABLE,
        ];
        assert_eq!(tables.iter().map(|table| table.len()).sum::<usize>(), all.len(), "one for each code");
    }
}
