//! Columns of a tool's table that no version of the tool is known to make: a newer one made them, or a team added them.

use limosa_sql::Engine;

use super::found::FoundLedger;
use super::tools::Tool;
use crate::{DbError, Session};

impl Tool {
    /// True for a column that some version of the tool makes.
    fn makes(&self, column: &str) -> bool {
        let needs = self.rows.map_or(&[][..], |(_, rows)| rows.needs);
        [self.has, self.shape, self.shape_beside, needs]
            .into_iter()
            .flatten()
            .any(|known| known.eq_ignore_ascii_case(column))
    }

    /// Those of these columns that no version of the tool is known to make; none of a tool whose rows are not read.
    pub(super) fn unknown_among<'c>(&self, columns: impl Iterator<Item = &'c str>) -> Vec<String> {
        if self.rows.is_none() {
            return Vec::new();
        }
        let mut unknown: Vec<String> = columns.filter(|column| !self.makes(column)).map(str::to_owned).collect();
        // Catalogues have them in any order.
        unknown.sort_unstable();
        unknown
    }
}

impl FoundLedger {
    /// Columns that no version of the tool is known to make.
    pub fn unknown_columns(&self) -> &[String] {
        &self.unknown
    }

    /// Those of them that have no default and must not be NULL: a row that leaves them out is refused, or gets a value that nobody chose
    /// (MySQL, where it is not strict). No question where there are none.
    ///
    /// # Errors
    /// What the server says.
    pub async fn columns_without_value(&self, session: &mut dyn Session) -> Result<Vec<String>, DbError> {
        if self.unknown.is_empty() {
            return Ok(Vec::new());
        }
        let engine = session.facts().engine();
        let sql = must_be_given(engine, self.place());
        let rows = session.query(&sql, &[]).await?;
        let given: Vec<String> = rows.iter().filter_map(|row| row.text(0)).collect();
        Ok(self.unknown.iter().filter(|column| given.contains(column)).cloned().collect())
    }
}

/// The columns of a table that have no default and must not be NULL.
fn must_be_given(engine: Engine, (schema, table): (Option<&str>, &str)) -> String {
    let name = engine.quote_literal(table);
    let schema = schema.map(|schema| engine.quote_literal(schema));
    match engine {
        Engine::Postgres => format!(
            "select a.attname::text from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid \
             join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.relname = {name} and {} and a.attnum > 0 \
             and not a.attisdropped and a.attnotnull and not a.atthasdef and a.attidentity = ''",
            schema.map_or("pg_catalog.pg_table_is_visible(c.oid)".to_owned(), |schema| format!("n.nspname = {schema}"))
        ),
        Engine::Mysql => format!(
            "select c.column_name from information_schema.columns c where c.table_schema = {} and c.table_name = {name} \
             and c.is_nullable = 'NO' and c.column_default is null and lower(c.extra) not like '%auto_increment%' \
             and lower(c.extra) not like '%generated%'",
            schema.as_deref().unwrap_or("database()")
        ),
        _ => format!(
            "select c.name from pragma_table_info({name}{}) c where c.\"notnull\" and c.dflt_value is null",
            schema.map(|schema| format!(", {schema}")).unwrap_or_default()
        ),
    }
}

#[cfg(test)]
mod tests {
    use limosa_core::ForeignTool;

    use super::super::tools::all;

    /// What a tool makes is known, and nothing else.
    #[test]
    fn columns_of_a_team_are_none_of_the_tools() {
        for tool in ForeignTool::all() {
            for known in all().filter(|known| known.rows.is_some_and(|(own, _)| own == tool)) {
                let made = known.has.iter().chain(known.shape).chain(known.shape_beside);
                assert!(known.unknown_among(made.copied()).is_empty(), "{}", tool.name());
                let added = ["Granted", "applied_by_team", "host"];
                assert_eq!(known.unknown_among(added.into_iter()), added, "{}", tool.name());
            }
        }
    }

    /// The columns of tables as the tools' own statements make them.
    #[test]
    fn whole_tables_of_the_tools_are_known() {
        for (word, columns) in [
            ("dbmate", "version"),
            ("drizzle", "id,hash,created_at"),
            ("drizzle", "id,hash,created_at,name,applied_at"),
            (
                "liquibase",
                "ID,AUTHOR,FILENAME,DATEEXECUTED,ORDEREXECUTED,EXECTYPE,MD5SUM,DESCRIPTION,COMMENTS,TAG,LIQUIBASE,CONTEXTS,LABELS,DEPLOYMENT_ID",
            ),
            ("numbered-sql", "version,name,checksum,applied_at,rollback_sql,metadata"),
            ("sql-migrate", "id,applied_at"),
        ] {
            let columns: Vec<&str> = columns.split(',').collect();
            let tool = ForeignTool::of_word(word).expect("a tool");
            let known = super::super::best_of(&columns, Some(tool)).expect("its table");
            assert!(known.unknown_among(columns.iter().copied()).is_empty(), "{word}");
        }
    }
}
