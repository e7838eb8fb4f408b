//! A table that gets another name, with both names in use for a while: the other one is a view that takes writes.

use limosa_sql::Engine;

use super::template::{Draft, Table, derived};

/// The three files.
pub(super) fn drafts(engine: Engine, table: &Table, to: &str, columns: &[String]) -> Vec<Draft> {
    let names = Names { engine, old: table.clone(), new: table.beside(to), columns };
    vec![
        Draft {
            step: "expand",
            purpose: "step 1 of 3, the new name is there as a view".to_owned(),
            headers: &[],
            up: format!(
                "-- Old code goes on with the table; new code may use the view, which writes to it.\n{}\n\n{}",
                names.limits(),
                names.view(&names.new, &names.old)
            ),
            back: names.drop_view(&names.new),
        },
        Draft {
            step: "switch",
            purpose: "step 2 of 3, the table takes the new name, a view the old one".to_owned(),
            headers: &[],
            up: format!(
                "-- No row is moved. Rights that were granted on the old name must be granted on its view.\n\n{}",
                names.swap(&names.old, &names.new)
            ),
            back: names.swap(&names.new, &names.old),
        },
        Draft {
            step: "contract",
            purpose: "step 3 of 3, the old name goes".to_owned(),
            headers: &[],
            up: format!(
                "-- Run it when no code that uses the old name is left; until then, stop before it: limosa migrate --to.\n\n{}",
                names.drop_view(&names.old)
            ),
            back: names.view(&names.old, &names.new),
        },
    ]
}

struct Names<'a> {
    engine: Engine,
    old: Table,
    new: Table,
    /// The columns, or none for all.
    columns: &'a [String],
}

impl Names<'_> {
    fn limits(&self) -> &'static str {
        match self.engine {
            Engine::Postgres => "-- Grant on the view what its users have on the table.",
            Engine::Mysql => "-- INVOKER: who uses the view needs rights on the table, too.",
            _ => {
                "-- Its triggers write all columns: one that is left out becomes NULL, not its default. ON CONFLICT does not work\n\
                 -- on a view."
            }
        }
    }

    fn drop_view(&self, view: &Table) -> String {
        format!("DROP VIEW {};", view.quoted(self.engine))
    }

    /// A view by one name on the table of the other, that takes what is written to it.
    fn view(&self, view: &Table, table: &Table) -> String {
        let engine = self.engine;
        let columns: Vec<String> = self.columns.iter().map(|column| engine.quote_identifier(column)).collect();
        let list = if columns.is_empty() { "*".to_owned() } else { columns.join(", ") };
        let rights = if engine == Engine::Mysql { "SQL SECURITY INVOKER " } else { "" };
        let (quoted, table) = (view.quoted(engine), table.quoted(engine));
        if engine != Engine::Sqlite {
            return format!("CREATE {rights}VIEW {quoted} AS SELECT {list} FROM {table};");
        }
        self.view_with_triggers(view, &quoted, &table, &columns)
    }

    /// SQLite: a view takes no writes by itself.
    fn view_with_triggers(&self, view: &Table, quoted: &str, table: &str, columns: &[String]) -> String {
        let all = |side: &str, join: &str, part: &dyn Fn(&str, &str) -> String| {
            columns.iter().map(|column| part(side, column)).collect::<Vec<_>>().join(join)
        };
        // Without the table's name, a column that is not there would be read as a text.
        let of = |side: &str, column: &str| format!("{side}.{column}");
        let same = |side: &str, column: &str| format!("{table}.{column} IS {side}.{column}");
        let assign = |side: &str, column: &str| format!("{column} = {side}.{column}");
        let trigger = |what: &str, work: String| {
            let name = self.engine.quote_identifier(&format!("{}_{}", view.name, what.to_lowercase()));
            format!("CREATE TRIGGER {name} INSTEAD OF {what} ON {quoted} BEGIN\n    {work};\nEND;")
        };
        let (named, list) = (all(table, ", ", &of), columns.join(", "));
        [
            format!("CREATE VIEW {quoted} ({list}) AS SELECT {named} FROM {table};"),
            format!("-- SQLite reads a view when it is used: a name that is wrong fails here.\nSELECT * FROM {quoted} LIMIT 0;"),
            trigger("INSERT", format!("INSERT INTO {table} ({list}) VALUES ({})", all("NEW", ", ", &of))),
            trigger(
                "UPDATE",
                format!("UPDATE {table} SET {} WHERE {}", all("NEW", ", ", &assign), all("OLD", " AND ", &same)),
            ),
            trigger("DELETE", format!("DELETE FROM {table} WHERE {}", all("OLD", " AND ", &same))),
        ]
        .join("\n\n")
    }

    /// The table gives its name to the view that stands before it, and takes that one's.
    fn swap(&self, from: &Table, to: &Table) -> String {
        let engine = self.engine;
        if engine == Engine::Mysql {
            // A statement for each name would leave a moment without one: no DDL is in a transaction here.
            let (coming, going) = (from.beside(derived(&from.name, "_view")), to.beside(derived(&to.name, "_view")));
            let [from_name, to_name, coming_name, going_name] =
                [from, to, &coming, &going].map(|name| name.quoted(engine));
            return format!(
                "-- A view of the view to begin with; one RENAME then swaps all names at once.\n{}\n\n\
                 RENAME TABLE {to_name} TO {going_name}, {from_name} TO {to_name}, {coming_name} TO {from_name};\n\n{}",
                self.view(&coming, to),
                self.drop_view(&going)
            );
        }
        format!(
            "{}\nALTER TABLE {} RENAME TO {};\n{}",
            self.drop_view(to),
            from.quoted(engine),
            engine.quote_identifier(&to.name),
            self.view(from, to)
        )
    }
}
