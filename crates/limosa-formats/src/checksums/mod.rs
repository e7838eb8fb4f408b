//! The checksums that other tools keep of their files: made again from the bytes of a file, and compared with what was recorded.
//!
//! Each tool's rule is in the file of its name, with its source. Those that are not here keep none, or one that no file tells.
//! Liquibase's are of parts of files, which its format knows: see [`crate::Layout::agreement`].

mod drizzle;
mod flyway;
mod liquibase;
mod numbered_sql;
mod prisma;
mod recorder;
mod refinery;
mod sqitch;
mod sqlx;
mod text;
mod values;

use limosa_core::{Agreement, ForeignRow, ForeignTool};
pub(crate) use liquibase::Hashed;
pub use recorder::Recorder;
pub use values::{NotPutIn, PutIn};

/// A tool's rule: what it would record of a file that its row calls so, and whether what it has recorded is of this file.
struct Rule {
    tool: ForeignTool,
    record: fn(&[u8], &ForeignRow) -> Option<String>,
    agrees: fn(&[u8], &ForeignRow, &str) -> Agreement,
}

const RULES: &[Rule] = &[
    Rule { tool: ForeignTool::Drizzle, record: drizzle::record, agrees: drizzle::agrees },
    Rule { tool: ForeignTool::Flyway, record: flyway::record, agrees: flyway::agrees },
    Rule { tool: ForeignTool::NumberedSql, record: numbered_sql::record, agrees: numbered_sql::agrees },
    Rule { tool: ForeignTool::Prisma, record: prisma::record, agrees: prisma::agrees },
    Rule { tool: ForeignTool::Refinery, record: refinery::record, agrees: refinery::agrees },
    Rule { tool: ForeignTool::Sqitch, record: sqitch::record, agrees: sqitch::agrees },
    Rule { tool: ForeignTool::Sqlx, record: sqlx::record, agrees: sqlx::agrees },
];

fn rule(tool: ForeignTool) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.tool == tool)
}

/// What the tool would record of a file with these bytes; `row` holds its version and name. None where it keeps no checksum that
/// a file tells.
pub fn record(tool: ForeignTool, bytes: &[u8], row: &ForeignRow) -> Option<String> {
    (rule(tool)?.record)(bytes, row)
}

/// Whether a file with these bytes is the one that a row's checksum was made of.
pub fn agreement(tool: ForeignTool, bytes: &[u8], row: &ForeignRow) -> Agreement {
    match (rule(tool), &row.checksum) {
        (Some(rule), Some(recorded)) => (rule.agrees)(bytes, row, recorded),
        _ => Agreement::Unknowable("its checksum is not one of the file"),
    }
}

/// What Flyway records of a repeatable whose placeholders it replaces.
///
/// # Errors
/// Where Flyway would not take the file; where it is no UTF-8.
pub fn record_with_values(bytes: &[u8], values: &PutIn<'_>) -> Result<String, NotPutIn> {
    flyway::record_with_values(bytes, values)
}

/// As [`agreement`], for such a repeatable. The checksum of the text alone is one of its own, too: older versions of Flyway have recorded that.
pub fn agreement_with_values(bytes: &[u8], row: &ForeignRow, values: &PutIn<'_>) -> Agreement {
    let recorded = row.checksum.as_deref().unwrap_or_default();
    flyway::agrees_with_values(bytes, row, recorded, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_is_what_agrees() {
        let files: [&[u8]; 4] = [b"", b"select 1;\n", b"\xEF\xBB\xBFselect 1;\r\n", "select 'ö';\r".as_bytes()];
        for rule in RULES {
            for bytes in files {
                let mut row =
                    ForeignRow { version: Some("7".to_owned()), name: Some("a_b".to_owned()), ..ForeignRow::default() };
                row.checksum = record(rule.tool, bytes, &row);
                assert_eq!(agreement(rule.tool, bytes, &row), Agreement::Same, "{:?} {bytes:?}", rule.tool);
                let other = agreement(rule.tool, b"select 2;\n", &row);
                assert_eq!(other, Agreement::Different, "{:?} {bytes:?}", rule.tool);
            }
        }
    }

    #[test]
    fn a_tool_without_checksums_agrees_with_nothing() {
        let row = ForeignRow { checksum: Some("9:d41d".to_owned()), ..ForeignRow::default() };
        assert!(matches!(agreement(ForeignTool::Liquibase, b"", &row), Agreement::Unknowable(_)));
        assert_eq!(record(ForeignTool::Goose, b"", &row), None);
    }
}
