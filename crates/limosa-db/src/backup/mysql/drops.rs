//! The statements that empty a database.

use std::fmt::Write as _;

use limosa_sql::Engine;

use super::survey::{Kind, Object, Survey};

/// Tables first: the server takes the locks of all of them before it drops one, so that a lock that somebody else holds
/// stops the restore before anything is lost. Triggers go with their tables.
pub(super) fn drops(survey: &Survey) -> String {
    let mut sql = String::from("SET SESSION sql_mode = '', foreign_key_checks = 0;\n");
    let list = |kinds: &[Kind]| {
        let names: Vec<String> = survey.of(kinds).map(quoted).collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    for (word, kinds) in
        [("TABLE", &[Kind::Table, Kind::VersionedTable][..]), ("SEQUENCE", &[Kind::Sequence]), ("VIEW", &[Kind::View])]
    {
        if let Some(names) = list(kinds) {
            let _ = writeln!(sql, "DROP {word} IF EXISTS {names};");
        }
    }
    for (word, kind) in [("EVENT", Kind::Event), ("PROCEDURE", Kind::Procedure), ("FUNCTION", Kind::Function)] {
        for object in survey.of(&[kind]) {
            let _ = writeln!(sql, "DROP {word} IF EXISTS {};", quoted(object));
        }
    }
    // Packages are known in this mode only. A body goes with its package.
    for object in survey.of(&[Kind::Package]) {
        let _ = writeln!(sql, "SET SESSION sql_mode = 'ORACLE';\nDROP PACKAGE IF EXISTS {};", quoted(object));
    }
    sql
}

fn quoted(object: &Object) -> String {
    Engine::Mysql.quote_identifier(&object.name)
}

#[cfg(test)]
mod tests {
    use super::super::rights::Rights;
    use super::*;

    #[test]
    fn all_is_named_and_tables_go_at_once() {
        let object = |(kind, name): (Kind, &str)| Object {
            kind,
            name: name.to_owned(),
            engine: None,
            transactional: true,
            definer: None,
        };
        let objects = [
            (Kind::Table, "a`b"),
            (Kind::View, "v"),
            (Kind::VersionedTable, "h"),
            (Kind::Sequence, "s"),
            (Kind::Function, "f"),
            (Kind::Procedure, "f"),
            (Kind::PackageBody, "k"),
            (Kind::Package, "k"),
            (Kind::Event, "e"),
            (Kind::Trigger, "t"),
        ];
        let survey = Survey {
            user: String::new(),
            database: String::new(),
            packet: 0,
            character_set: String::new(),
            collation: String::new(),
            guards_binary_log: false,
            objects: objects.map(object).into(),
            is_unfinished: false,
            rights: Rights::default(),
        };
        let expected = "SET SESSION sql_mode = '', foreign_key_checks = 0;\n\
            DROP TABLE IF EXISTS `a``b`, `h`;\nDROP SEQUENCE IF EXISTS `s`;\nDROP VIEW IF EXISTS `v`;\n\
            DROP EVENT IF EXISTS `e`;\nDROP PROCEDURE IF EXISTS `f`;\nDROP FUNCTION IF EXISTS `f`;\n\
            SET SESSION sql_mode = 'ORACLE';\nDROP PACKAGE IF EXISTS `k`;\n";
        assert_eq!(drops(&survey), expected);
    }
}
