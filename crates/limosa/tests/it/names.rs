//! Names that users choose: of the ledger, of projects, of roles, of files.

use limosa::{MigrateOptions, Selection, StatusOptions};

use crate::answers::{back, done, labels, migrate, quiet, states};
use crate::dry_run::by_hand;
use crate::place::{Place, all_homes};

fn table(name: &str) -> String {
    format!("create table {name} (id int);\n-- limosa:rollback\ndrop table {name};\n")
}

#[tokio::test]
async fn the_ledger_may_have_any_name() {
    for name in ["Odd Name", "O'Brien", "a\"b", "b$1c", "{schema}", "{lease}", "größe", "select", "$limosa$"] {
        for home in all_homes() {
            let migrator = home.with(|it| {
                it.ledger_schema = name.to_owned();
                it.project = format!("project of {name}");
            });
            home.file("001_a.sql", &table("a"));
            home.file("002_b.sql", &table("b"));
            done(migrator.migrate(&crate::answers::to("1"), &quiet, limosa::Stop::new()).await);
            assert_eq!(
                states(&migrator.status(StatusOptions::default()).await.unwrap()),
                ["1 applied", "2 pending"],
                "{name}"
            );
            by_hand(&home, &migrator.plan_script(&MigrateOptions::default()).await.unwrap());
            assert_eq!(done(migrate(&migrator).await).outcome, "nothing_to_do", "{name}");
            done(back(&migrator, Selection::Steps(1), Some(&home.database())).await);
            assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0, "{name}");
            assert!(migrator.doctor().await.unwrap().exit_code == 0, "{name}");
            migrator.clean(Some(&home.database()), false, &quiet, limosa::Stop::new()).await.unwrap();
            assert_eq!(labels(&done(migrate(&migrator).await)), ["001", "002"], "{name}");
        }
    }
}

#[tokio::test]
async fn what_a_run_makes_belongs_to_the_role() {
    for home in all_homes() {
        let Place::Postgres(database) = &home.place else { continue };
        let role = format!("Owner of {}", database.name());
        home.execute(&format!(
            "create role \"{role}\"; grant create on database {} to \"{role}\"; grant all on schema public to \"{role}\"",
            database.name()
        ));
        let migrator = home.with(|it| it.role = Some(role.clone()));
        home.file("001_a.sql", &table("a"));
        home.file("002_b.sql", &format!("set role postgres;\n{}", table("b")));
        home.file("003_c.sql", "create table c (id int);\ncreate index concurrently c_id on c (id);\n");
        done(migrate(&migrator).await);
        let owners =
            home.rows("select tablename::text, tableowner::text from pg_tables where schemaname = 'public' order by 1");
        assert_eq!(owners, [format!("a|{role}"), "b|postgres".to_owned(), format!("c|{role}")]);
        let ledger = home.rows("select distinct tableowner::text from pg_tables where schemaname = 'limosa'");
        assert_eq!(ledger, [role]);
        assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0);
        home.file("004_d.sql", &table("d"));
        by_hand(&home, &migrator.plan_script(&MigrateOptions::default()).await.unwrap());
        let owner = home.rows("select tableowner::text from pg_tables where tablename = 'd'");
        assert_eq!(owner, [migrator.configuration().role.clone().unwrap()]);
    }
}

#[tokio::test]
async fn files_may_have_any_name() {
    for home in all_homes() {
        home.file("001_it's \"odd\" größe $1 ${x}.sql", &table("a"));
        home.file("R__it's {lease} größe.sql", "select 1;\n-- limosa:rollback\nselect 2;\n");
        by_hand(&home, &home.migrator().plan_script(&MigrateOptions::default()).await.unwrap());
        assert_eq!(done(home.migrate().await).outcome, "nothing_to_do");
        done(home.rollback(Selection::One(limosa::Identity::new("R:it's {lease} größe"))).await);
        assert_eq!(labels(&done(home.migrate().await)), ["R"]);
        let status = home.migrator().status(StatusOptions::default()).await.unwrap();
        assert_eq!(status.changes[0].name, "it's \"odd\" größe $1 ${x}");
        assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);
    }
}
