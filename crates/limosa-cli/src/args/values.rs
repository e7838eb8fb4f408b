//! Values of arguments that are more than text.

use limosa::{AuditHead, Identity, Version};

/// A version: digits, optionally joined by dots or underscores; else the name of a migration.
pub(crate) fn version(text: &str) -> Result<Version, String> {
    match (Version::parse(text), text.trim()) {
        (Ok(version), _) => Ok(version),
        (Err(_), "") => Err("a version is made of digits, optionally joined by '.' or '_'; a name will do".to_owned()),
        (Err(_), name) => Ok(Version::of_name(name)),
    }
}

/// The identity of a change, however people write it: `007` is `7`, `R__views` is `R:views`.
pub(crate) fn identity(text: &str) -> Result<Identity, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("a migration is named by its version, or R:name for a repeatable one".to_owned());
    }
    let stem = text.strip_suffix(".sql").unwrap_or(text);
    Ok(match (Version::parse(stem), stem.strip_prefix("R__")) {
        (Ok(version), _) => Identity::of_version(&version),
        (_, Some(name)) => Identity::of_repeatable(name),
        _ => Identity::new(text),
    })
}

/// A statement of a change: `7:3` is the third statement of version 7.
pub(crate) fn statement(text: &str) -> Result<(Identity, u64), String> {
    let form = || "a statement is named by its migration and its number, such as 7:3".to_owned();
    let (name, number) = text.rsplit_once(':').ok_or_else(form)?;
    let number = number.parse().ok().filter(|number| *number > 0).ok_or_else(form)?;
    Ok((identity(name)?, number))
}

/// A head of the audit log: `42:3fa1...`, with the whole hash.
pub(crate) fn head(text: &str) -> Result<AuditHead, String> {
    let form = || "a head is written as NUMBER:HASH, with the 64 digits that a run prints".to_owned();
    let (sequence, hash) = text.split_once([':', ' ']).ok_or_else(form)?;
    let sequence = sequence.parse().ok().filter(|number| *number > 0).ok_or_else(form)?;
    let hash = hash.trim().to_ascii_lowercase();
    let whole = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    if whole { Ok(AuditHead { sequence, hash }) } else { Err(form()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_as_people_write_them() {
        for (text, expected) in
            [("007", "7"), ("1_2", "1.2"), ("R__views", "R:views"), ("R__views.sql", "R:views"), ("R:views", "R:views")]
        {
            assert_eq!(identity(text).unwrap().as_str(), expected, "{text}");
        }
        assert!(identity(" ").is_err());
    }

    #[test]
    fn statements_and_heads() {
        assert_eq!(statement("007:3").unwrap(), (Identity::new("7"), 3));
        assert_eq!(statement("R:views:1").unwrap(), (Identity::new("R:views"), 1));
        for text in ["7", "7:", "7:0", "7:x", ":3", "7:-1"] {
            assert!(statement(text).is_err(), "{text}");
        }
        let hash = "AB".repeat(32);
        assert_eq!(head(&format!("42:{hash}")).unwrap().hash, hash.to_lowercase());
        assert_eq!(head(&format!("42 {hash}")).unwrap().sequence, 42);
        for text in ["42", "42:3fa1", "0:ab", "x:ab", &format!("42:{}", "x".repeat(64))] {
            assert!(head(text).is_err(), "{text}");
        }
    }
}
