//! Comments that MariaDB and MySQL run: Liquibase 4.33 takes them out, unless a change says `stripComments:false`.

use limosa::Selection;

use crate::answers::{back, done, id};
use crate::place::all_homes;

#[tokio::test]
async fn comments_that_the_server_runs_are_taken_out_unless_a_change_wants_them() {
    for home in all_homes().into_iter().filter(|home| home.is_mysql()) {
        let text = "--liquibase formatted sql\n--changeset a:1\ncreate table t (n varchar(40));\n\
                    insert into t values (concat('a', /*!40000 'no', */ 'b')), ('/*! stays */');\n--rollback drop table /*! if exists no, */ t;\n\
                    --changeset a:2\n/*!50001 create view v as select 1 as n */;\n\
                    --changeset a:3 stripComments:false\n/*!50001 create view w as select 1 as n */;\n";
        home.file("a.sql", text);
        done(home.migrate().await);
        assert_eq!(home.rows("select n from t order by n"), ["/*! stays */", "ab"]);
        let tables = home.tables();
        assert!(!tables.contains(&"v".to_owned()) && tables.contains(&"w".to_owned()), "{tables:?}");
        // They are a part of the text, as before.
        assert!(done(home.migrate().await).steps.is_empty());
        done(back(&home.migrator(), Selection::One(id("a.sql::1::a")), Some(&home.database())).await);
        assert!(!home.tables().contains(&"t".to_owned()));
    }
}
