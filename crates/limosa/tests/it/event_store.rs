//! The example that came from Flyway: an event store on PostgreSQL.

use std::path::Path;

use limosa::{Configuration, Migrator, Selection};

use crate::answers::{back, done, id, labels, migrate};
use crate::place::{Home, homes};

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/event-store/src/main/resources/db/migration")
}

/// A role of the test's own, for roles belong to the whole server.
fn role(home: &Home) -> String {
    format!("app_{}", home.database())
}

fn migrator(home: &Home) -> Migrator {
    home.with(|it: &mut Configuration| {
        it.directories = vec![folder()];
        it.create_schemas = ["event_store", "read_model", "command_model"].map(str::to_owned).into();
        it.values.all.insert("application_user".to_owned(), role(home));
    })
}

/// The SQLSTATE of what is refused.
fn refused(home: &Home, sql: &str) -> String {
    home.rows(&format!(
        "with it as (select 1) select 'none' from it where false union all select state from refused($sql${sql}$sql$) as state"
    ))
    .remove(0)
}

const REFUSED: &str = "create function refused(what text) returns text language plpgsql as $f$ begin execute what; return 'none'; \
    exception when others then return sqlstate; end $f$";

#[tokio::test]
async fn the_store_is_made_and_keeps_its_promises() {
    for home in homes().into_iter().filter(|home| !home.is_sqlite()) {
        home.execute(&format!("create role {} login", role(&home)));
        let migrator = migrator(&home);
        let answer = done(migrate(&migrator).await);
        assert_eq!(labels(&answer), ["1", "2", "3", "4", "5", "6", "8", "R", "R"]);
        assert_eq!(done(migrate(&migrator).await).outcome, "nothing_to_do");

        home.execute(REFUSED);
        let stream = "00000000-0000-0000-0000-000000000001";
        let append = |version: i64, events: &str| {
            format!("select event_store.append_events('account', '{stream}', {version}, array[{events}]::jsonb[])")
        };
        let event = |kind: &str| format!("'{{\"event_type\": \"{kind}\", \"event_data\": {{}}}}'");
        home.execute(&append(0, &format!("{}, {}", event("opened"), event("filled"))));
        home.execute(&append(2, &event("closed")));
        assert_eq!(refused(&home, &append(2, &event("late"))), "ES001");
        let order = "select event_type, aggregate_version from event_store.domain_event order by transaction_id, global_position";
        assert_eq!(home.rows(order), ["opened|1", "filled|2", "closed|3"]);
        for change in [
            "update event_store.domain_event set event_type = 'other'",
            "delete from event_store.domain_event",
            "truncate event_store.domain_event",
        ] {
            assert_eq!(refused(&home, change), "ES002", "{change}");
            // The application may not even try.
            home.execute(&format!("grant execute on function refused to {}", role(&home)));
            let as_application = format!("set local role {}; {change}", role(&home));
            assert_eq!(refused(&home, &as_application), "42501", "{change}");
        }
        assert_eq!(
            home.rows("select aggregate_type, event_type from event_store.v_recent_events limit 1"),
            ["account|closed"]
        );
        // The callback refreshed the statistics of an empty store; the next migrate does again.
        done(migrate(&migrator).await);
        assert_eq!(home.rows("select event_count, avg_version::int from event_store.mv_event_statistics"), ["3|3"]);

        let consent = home.database();
        done(back(&migrator, Selection::From(id("6")), Some(&consent)).await);
        assert_eq!(home.rows("select count(*) from information_schema.columns where column_name = 'email'"), ["0"]);
        assert_eq!(home.rows("select to_regclass('command_model.user_preferences') is null"), ["t"]);
        home.execute(&format!("drop owned by {0}; drop role {0}", role(&home)));
    }
}
