//! Placeholders of Flyway's folders that are written otherwise than `${name}`.

use limosa::{FlywayNaming, Layout, LayoutChoice, Migrator, PlaceholderMarks, Selection};

use crate::answers::{back, done, failed, id, labels, migrate};
use crate::place::{Home, all_homes, sqlite};

/// A migrator for placeholders such as `#[name]` and `#[flyway.user]`, with these values.
fn marked(home: &Home, values: &[(&str, &str)]) -> Migrator {
    let naming = FlywayNaming {
        placeholders: Box::new(PlaceholderMarks::new("#[", "]", ".").unwrap()),
        command_marks: Box::new(["Q_", "_Q"].map(str::to_owned)),
        ..FlywayNaming::default()
    };
    home.with(|it| {
        it.layout = LayoutChoice::Given(Layout::Flyway(naming));
        it.values.all.extend(values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    })
}

#[tokio::test]
async fn scripts_callbacks_and_ways_back_have_the_marks_of_the_settings() {
    for home in all_homes() {
        home.file(
            "V1__a.sql",
            "create table #[t]_x (n varchar(80), m varchar(80));\n\
             insert into #[t]_x values ('#[flyway.filename] #[V]', '${nope} #[ v ]');\n",
        );
        home.file("U1__a.sql", "drop table #[t]_x;\n");
        home.file("R__v.sql", "create view v as select '#[v]' as v from #[t]_x;\n");
        home.file("beforeEachMigrate.sql", "-- #[nope]\nselect '#[v]';\n");
        home.file("afterMigrate.sql", "insert into #[t]_x values ('called', '#[flyway.defaultSchema]');\n");
        let with = marked(&home, &[("t", "made"), ("v", "it")]);
        assert_eq!(labels(&done(migrate(&with).await)), ["1", "R"]);
        let schema = match (home.is_mysql(), home.is_sqlite()) {
            (true, _) => home.database(),
            (_, true) => "main".to_owned(),
            _ => "public".to_owned(),
        };
        let rows = home.rows("select n, m from made_x order by m");
        let expected = [format!("called|{schema}"), "V1__a.sql it|${nope} #[ v ]".to_owned()];
        assert!(expected.iter().all(|row| rows.contains(row)) && rows.len() == 2, "{rows:?}");
        assert_eq!(home.rows("select distinct v from v"), ["it"]);
        assert_eq!(done(migrate(&with).await).outcome, "nothing_to_do");
        // The way back is recorded with its values, and with how they are written: the settings of today make no difference.
        home.execute("drop view v");
        let consent = home.database();
        done(back(&home.migrator(), Selection::One(id("1")), Some(&consent)).await);
        assert!(!home.tables().contains(&"made_x".to_owned()), "{:?}", home.tables());
    }
}

#[tokio::test]
async fn one_without_a_value_is_told_as_it_is_written() {
    for home in all_homes() {
        home.file("V1__a.sql", "create table a (n int);\n\nselect '#[ok]',\n  '#[nope]';\n");
        let with = marked(&home, &[("ok", "1")]);
        failed(&migrate(&with).await, 2, &["LIM-R012", "the placeholder #[nope] has no value", "V1__a.sql:4:4"]);
        // Built-in ones have the separator of the settings, and no other.
        home.file("V1__a.sql", "select '#[flyway:user]';\n");
        failed(&migrate(&with).await, 2, &["LIM-R012", "#[flyway:user]"]);
        home.file("V1__a.sql", "select '#[ok:upper]';\n");
        failed(&migrate(&with).await, 2, &["LIM-R012", "#[ok:upper]", "#[ok:literal]"]);
        // What the server says has its place in the file.
        home.file("V1__a.sql", "create table a (n int);\ninsert into a values (#[ok]); select * from missing_#[ok];\n");
        failed(&migrate(&with).await, 3, &["missing_1", "V1__a.sql:2:"]);
        assert_eq!(home.rows("select 1"), ["1"]);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn commands_and_settings_beside_scripts_have_them_too() {
    let home = sqlite();
    home.file("V1__a.sql", "create table a (n integer);\n");
    home.file("V2__there.sql", "create table b (n integer);\n");
    home.file("V2__there.sql.conf", "shouldExecute=#[place]==there\n");
    let seen = home.folder.join("seen");
    let script = format!("echo \"$Q_place_Q in $Q_flyway_database_Q, not $FP__place__\" > {}\n", seen.display());
    home.file("afterMigrate__tell.sh", &script);
    let at = |place: &str| {
        let migrator = marked(&home, &[("place", place)]);
        let configuration = limosa::Configuration { allow_commands: true, ..migrator.configuration().clone() };
        Migrator::new(configuration)
    };
    assert_eq!(labels(&done(migrate(&at("here")).await)), ["1"]);
    let told = std::fs::read_to_string(&seen).unwrap();
    assert_eq!(told, format!("here in {}, not \n", home.database()));
    assert_eq!(labels(&done(migrate(&at("there")).await)), ["2"]);
    home.file("V2__there.sql.conf", "shouldExecute=#[nope]==there\n");
    failed(&migrate(&at("there")).await, 2, &["LIM-F031", "the placeholder #[nope] has no value"]);
}
