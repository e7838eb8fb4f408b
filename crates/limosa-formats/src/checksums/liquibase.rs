//! Liquibase: MD5 over the SQL of a changeset, and once more over that, with the number of the rule before it: `9:` since 4.22, `8:` from
//! 3.5 to 4.21 (Liquibase, `ChangeSet.generateCheckSum`, `CheckSum.compute`, `AbstractSQLChange.NormalizingStream`,
//! `NormalizingStreamV8.java`, `ChecksumVersion.java`).
//!
//! Rule 9 leaves blanks, tabs and line ends out wherever they stand. Rule 8 makes one blank of several, and begins with how the
//! statements are split.

use limosa_core::{Agreement, hex};
use md5::{Digest, Md5};

/// What a checksum is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hashed {
    /// The SQL with the values of its properties.
    pub(crate) sql: String,
    /// What ends statements, where something else than usual does.
    pub(crate) end_delimiter: Option<String>,
    /// Liquibase splits it into statements.
    pub(crate) splits: bool,
    /// Liquibase takes comments out before it runs.
    pub(crate) strips: bool,
}

/// The rule of today.
const LATEST: u32 = 9;

impl Hashed {
    /// The checksum by the rule of today.
    pub(crate) fn checksum(&self) -> String {
        self.by_rule(LATEST).unwrap_or_default()
    }

    /// The checksum by a rule; None for one that is not known here.
    fn by_rule(&self, rule: u32) -> Option<String> {
        // Java's `trim`.
        let sql = self.sql.trim_matches(|letter| letter <= ' ');
        let text = match rule {
            9 => sql.replace([' ', '\t', '\r', '\n'], ""),
            8 => {
                let delimiter = self.end_delimiter.as_deref().unwrap_or("null");
                let words = sql.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty());
                format!("{delimiter}:{}:{}:{}", self.splits, self.strips, words.collect::<Vec<_>>().join(" "))
            }
            _ => return None,
        };
        Some(format!("{rule}:{}", md5(&format!("{rule}:{}:", md5(&text)))))
    }

    /// Whether a recorded checksum is of this, or `validCheckSum` says that it counts as such (`ChangeSet.isCheckSumValid`).
    pub(crate) fn agrees(&self, valid: &[String], recorded: &str) -> Agreement {
        let (rule, _) = parts(recorded);
        let own = self.by_rule(rule);
        if own.as_deref() == Some(recorded) {
            return Agreement::Same;
        }
        let counts = |text: &String| {
            let (rule, digits) = parts(text);
            let is_any = rule == 1 && ["any", "all", "*"].iter().any(|word| digits.eq_ignore_ascii_case(word));
            let written = format!("{rule}:{digits}");
            is_any || written == recorded || own.as_ref() == Some(&written)
        };
        if valid.iter().any(counts) {
            return Agreement::SameBut("what validCheckSum allows");
        }
        match own {
            Some(_) => Agreement::Different,
            None if rule > LATEST => Agreement::Unknowable(
                "a Liquibase newer than limosa knows made its checksum, by a rule that is not known here",
            ),
            None => Agreement::Unknowable("a Liquibase before 3.5 made its checksum, by a rule that is not known here"),
        }
    }
}

/// The number of the rule and the digits; what has no number is of rule 1.
fn parts(text: &str) -> (u32, &str) {
    let split = text.split_once(':').and_then(|(rule, digits)| Some((rule.parse().ok()?, digits)));
    let (rule, digits) = split.unwrap_or((1, text));
    let end = digits.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(digits.len());
    match end {
        // What has a number and no digits is read as if it had no number.
        0 if split.is_some() => (1, text),
        0 => (rule, digits),
        _ if split.is_some() => (rule, &digits[..end]),
        _ => (rule, digits),
    }
}

fn md5(text: &str) -> String {
    hex(&Md5::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashed(sql: &str) -> Hashed {
        Hashed { sql: sql.to_owned(), end_delimiter: None, splits: true, strips: true }
    }

    #[test]
    fn both_rules_are_those_of_liquibase() {
        // By Liquibase 4.33.0.
        for (sql, delimiter, splits, strips, eight, nine) in [
            (
                "create table a (n integer);\n",
                None,
                true,
                true,
                "8:2c21cb1c52d22f7ebd9cc2376c838691",
                "9:d84bc65b36aa8a8303bb1c7bd0825d50",
            ),
            (
                "\n\n  create   table a\n\n(n\tinteger)  ;  \n\n\n",
                None,
                true,
                true,
                "8:1172bc525c4e51a1e7282c58ee563ed0",
                "9:d84bc65b36aa8a8303bb1c7bd0825d50",
            ),
            (
                "create table a (n integer)\n/\nselect 1\n/\n",
                Some("/"),
                true,
                true,
                "8:5d6101240c853c88623bae3f6c30e589",
                "9:559c937c7df8529b4f16f0293a96f35c",
            ),
            (
                "-- words\ncreate table a (n integer);\n",
                None,
                true,
                false,
                "8:f51ee78557ab29eed8bca3aac8f719f4",
                "9:861c0b2df6254ff24117e76196e78b73",
            ),
            (
                "create table a (n integer);\nselect 1;\n",
                None,
                false,
                true,
                "8:4901a485a1c68d6dc27177fc855cc585",
                "9:4f83cc6d4526058b3735cb25d3bd0f92",
            ),
        ] {
            let hashed = Hashed { end_delimiter: delimiter.map(str::to_owned), splits, strips, ..hashed(sql) };
            assert_eq!(hashed.by_rule(8).as_deref(), Some(eight), "{sql:?}");
            assert_eq!(hashed.checksum(), nine, "{sql:?}");
        }
    }

    #[test]
    fn checksums_agree_or_are_allowed() {
        let same = "9:a7ca957848b7a2d82c733ec390529b49";
        let text = hashed("select 1;");
        const ALLOWED: Agreement = Agreement::SameBut("what validCheckSum allows");
        for (valid, recorded, expected) in [
            (&[][..], same, Agreement::Same),
            (&[], "8:07d7d7a28c35b80d36e41424401a2f3e", Agreement::Same),
            (&[], "9:00", Agreement::Different),
            (&[], "8:a7ca957848b7a2d82c733ec390529b49", Agreement::Different),
            (&["ANY"], "9:00", ALLOWED),
            (&["1:any"], "9:00", ALLOWED),
            (&["1:ALL"], "9:00", ALLOWED),
            (&["*"], "9:00", ALLOWED),
            (&["any "], "9:00", Agreement::Different),
            (&["9:00"], "9:00", ALLOWED),
            // Today's text is allowed by name.
            (&["8:1", same], "9:00", ALLOWED),
            (&["9:01"], "9:00", Agreement::Different),
            (&["1:any"], "7:00", ALLOWED),
            (&["7:00"], "7:00", ALLOWED),
        ] {
            let valid: Vec<String> = valid.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(text.agrees(&valid, recorded), expected, "{valid:?} {recorded}");
        }
        for (recorded, words) in
            [("7:00", "before 3.5"), ("d41d", "before 3.5"), ("10:abc", "newer than"), ("11:abc", "newer than")]
        {
            let Agreement::Unknowable(why) = text.agrees(&[], recorded) else { panic!("{recorded}") };
            assert!(why.contains(words), "{recorded}: {why}");
        }
    }
}
