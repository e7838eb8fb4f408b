//! What a user may do, read from SHOW GRANTS.

use std::collections::BTreeSet;

/// The rights of one user in one database.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Rights {
    everywhere: BTreeSet<String>,
    here: BTreeSet<String>,
    /// Taken from those of everywhere for this database (MySQL's partial revokes).
    not_here: BTreeSet<String>,
    /// True where the table of MariaDB's routines may be read.
    reads_routines: bool,
}

/// How a server says that it gives all rights.
const ALL: &str = "ALL PRIVILEGES";

impl Rights {
    /// Reads the lines of SHOW GRANTS. Rights on single tables, columns and routines do not count.
    pub(super) fn read<'l>(lines: impl Iterator<Item = &'l str>, database: &str) -> Rights {
        let mut rights = Rights::default();
        for line in lines {
            let (granted, rest) = match (line.strip_prefix("GRANT "), line.strip_prefix("REVOKE ")) {
                (Some(rest), _) => (true, rest),
                (None, Some(rest)) => (false, rest),
                (None, None) => continue,
            };
            let Some((list, place)) = split_at_on(rest) else { continue };
            let names = list.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.contains('('));
            let Some(schema) = schema_of(place) else {
                rights.reads_routines |= granted && place.starts_with("`mysql`.`proc` ") && list.contains("SELECT");
                continue;
            };
            match schema {
                Schema::Every if granted => rights.everywhere.extend(names),
                Schema::Like(pattern) if fits(&pattern, database) => match granted {
                    true => rights.here.extend(names),
                    false => rights.not_here.extend(names),
                },
                Schema::Like(pattern) if granted && pattern == "mysql" => {
                    rights.reads_routines |= names.into_iter().any(|name| name == "SELECT" || name == ALL);
                }
                _ => {}
            }
        }
        rights
    }

    /// True where the right holds for everything in the database.
    pub(super) fn has(&self, right: &str) -> bool {
        let here = self.here.contains(right) || self.here.contains(ALL);
        here || (self.has_everywhere(right) && !self.not_here.contains(right))
    }

    /// True where the right holds on the whole server.
    pub(super) fn has_everywhere(&self, right: &str) -> bool {
        self.everywhere.contains(right) || self.everywhere.contains(ALL)
    }

    /// True where no routine of the database is hidden.
    pub(super) fn sees_routines(&self) -> bool {
        let any = ["EXECUTE", "CREATE ROUTINE", "ALTER ROUTINE", "SHOW CREATE ROUTINE"];
        let everywhere = ["SHOW_ROUTINE", "SELECT"];
        self.reads_routines
            || any.iter().any(|right| self.has(right))
            || everywhere.iter().any(|right| self.has_everywhere(right))
    }

    /// True where objects may be made that run with the rights of others.
    pub(super) fn sets_definers(&self) -> bool {
        ["SUPER", "SET USER", "SET_USER_ID", "SET_ANY_DEFINER"].iter().any(|right| self.has_everywhere(right))
    }
}

/// A database, or all.
enum Schema {
    Every,
    Like(String),
}

/// Splits `SELECT, INSERT (a) ON x.* TO u` at its ON.
fn split_at_on(text: &str) -> Option<(&str, &str)> {
    let (mut depth, mut quoted) = (0_u32, false);
    for (offset, letter) in text.char_indices() {
        match letter {
            '`' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            ' ' if !quoted && depth == 0 => {
                if let Some(place) = text[offset..].strip_prefix(" ON ") {
                    return Some((&text[..offset], place));
                }
            }
            _ => {}
        }
    }
    None
}

/// The database of `*.* TO ...` and `` `x`.* TO ... ``; None for the place of a single object.
fn schema_of(place: &str) -> Option<Schema> {
    if place.starts_with("*.* ") {
        return Some(Schema::Every);
    }
    let mut rest = place.strip_prefix('`')?;
    let mut name = String::new();
    loop {
        let end = rest.find('`')?;
        name.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('`') {
            Some(more) => {
                name.push('`');
                rest = more;
            }
            None => return rest.starts_with(".* ").then_some(Schema::Like(name)),
        }
    }
}

/// LIKE: `%` is any text, `_` any letter, a backslash takes the next as it is.
fn fits(pattern: &str, name: &str) -> bool {
    let mut letters = pattern.chars();
    match letters.next() {
        None => name.is_empty(),
        Some('%') => {
            let rest = letters.as_str();
            let ends = name.char_indices().map(|(offset, _)| offset).chain(std::iter::once(name.len()));
            ends.into_iter().any(|offset| fits(rest, &name[offset..]))
        }
        Some(first) => {
            let (wanted, rest) = match (first, letters.as_str().chars().next()) {
                ('\\', Some(next)) => (Some(next), &letters.as_str()[next.len_utf8()..]),
                ('_', _) => (None, letters.as_str()),
                (letter, _) => (Some(letter), letters.as_str()),
            };
            let Some(found) = name.chars().next() else { return false };
            wanted.is_none_or(|wanted| wanted == found) && fits(rest, &name[found.len_utf8()..])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(lines: &[&str]) -> Rights {
        Rights::read(lines.iter().copied(), "my_shop")
    }

    #[test]
    fn rights_on_the_database_count_and_on_its_parts_do_not() {
        for (line, select, trigger) in [
            ("GRANT ALL PRIVILEGES ON *.* TO `u`@`%` IDENTIFIED BY PASSWORD '*AB' WITH GRANT OPTION", true, true),
            ("GRANT SELECT, INSERT, SHOW VIEW, TRIGGER ON `my_shop`.* TO `u`@`%`", true, true),
            ("GRANT SELECT, INSERT ON `my\\_shop`.* TO `u`@`%`", true, false),
            ("GRANT SELECT ON `my\\_%`.* TO PUBLIC", true, false),
            ("GRANT TRIGGER ON `%shop`.* TO `role`", false, true),
            ("GRANT SELECT ON `my_shop`.`t` TO `u`@`%`", false, false),
            ("GRANT SELECT (`a ON b`), TRIGGER ON `my_shop`.* TO `u`@`%`", false, true),
            ("GRANT SELECT, TRIGGER ON `other`.* TO `u`@`%`", false, false),
            ("GRANT SELECT, TRIGGER ON `myXshop\\_`.* TO `u`@`%`", false, false),
            ("GRANT USAGE ON *.* TO `u`@`%`", false, false),
            ("GRANT `clerk` TO `u`@`%`", false, false),
            ("GRANT EXECUTE ON PROCEDURE `my_shop`.`p` TO `u`@`%`", false, false),
            ("SET DEFAULT ROLE `ro` FOR `w`@`%`", false, false),
        ] {
            let read = rights(&[line]);
            assert_eq!((read.has("SELECT"), read.has("TRIGGER")), (select, trigger), "{line}");
        }
    }

    #[test]
    fn a_partial_revoke_takes_from_those_of_everywhere_only() {
        let everywhere = "GRANT SELECT, TRIGGER ON *.* TO `u`@`%`";
        let read = rights(&[everywhere, "REVOKE SELECT ON `my_shop`.* FROM `u`@`%`"]);
        assert_eq!((read.has("SELECT"), read.has("TRIGGER")), (false, true));
        let read = rights(&[everywhere, "REVOKE SELECT ON `other`.* FROM `u`@`%`"]);
        assert!(read.has("SELECT"));
    }

    #[test]
    fn who_sees_routines_and_sets_definers() {
        for (line, sees, sets) in [
            ("GRANT SELECT ON `my_shop`.* TO `u`@`%`", false, false),
            ("GRANT EXECUTE ON `my_shop`.* TO `u`@`%`", true, false),
            ("GRANT SELECT ON `mysql`.`proc` TO `u`@`%`", true, false),
            ("GRANT SELECT ON `mysql`.* TO `u`@`%`", true, false),
            ("GRANT SELECT ON *.* TO `u`@`%`", true, false),
            ("GRANT SHOW_ROUTINE,SET_USER_ID ON *.* TO `u`@`%`", true, true),
            ("GRANT SET USER ON *.* TO `u`@`%`", false, true),
            ("GRANT SUPER ON *.* TO `u`@`%`", false, true),
            ("GRANT ALL PRIVILEGES ON `my_shop`.* TO `u`@`%`", true, false),
        ] {
            let read = rights(&[line]);
            assert_eq!((read.sees_routines(), read.sets_definers()), (sees, sets), "{line}");
        }
    }
}
