//! The example that the README runs, on every engine, up and all the way back.

use std::path::{Path, PathBuf};

use limosa::{Identity, MigrateOptions, Migrator, Progress, RollbackOptions, Selection, StatusOptions, Stop, Version};

use crate::place::{error_text, homes};

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/warehouse/migrations")
}

#[tokio::test]
async fn the_warehouse_goes_up_and_back_on_every_engine() {
    for home in homes() {
        let mut configuration = home.configuration();
        configuration.directories = vec![example()];
        let migrator = Migrator::new(configuration);
        let quiet = |_: Progress| {};

        let result = migrator.migrate(&MigrateOptions::default(), &quiet, Stop::new()).await;
        assert_eq!(result.as_ref().map(|answer| answer.exit_code).unwrap_or(99), 0, "{}", error_text(&result));
        assert!(home.tables().len() > 8, "{:?}", home.tables());

        let again = migrator.migrate(&MigrateOptions::default(), &quiet, Stop::new()).await.unwrap();
        assert_eq!(again.outcome, "nothing_to_do");

        let status = migrator.status(StatusOptions::default()).await.unwrap();
        assert_eq!(status.pending, 0);
        let hypertables = status.changes.iter().find(|change| change.identity == "9").unwrap();
        assert_eq!(hypertables.state, limosa::State::NotApplicable);
        let wanted = if home.is_sqlite() { "PostgreSQL" } else { "timescaledb" };
        assert!(hypertables.reason.as_ref().is_some_and(|reason| reason.contains(wanted)), "{hypertables:?}");
        assert_eq!(migrator.validate().await.unwrap().exit_code, 0);
        assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0);

        let back = RollbackOptions {
            selection: Selection::From(Identity::new("R:views")),
            use_file: false,
            consent: Some(home.database()),
            backup: false,
        };
        let result = migrator.rollback(&back, &quiet, Stop::new()).await;
        assert_eq!(result.as_ref().map(|answer| answer.exit_code).unwrap_or(99), 0, "{}", error_text(&result));
        let back = RollbackOptions { selection: Selection::To(Version::parse("0").unwrap()), ..back };
        let result = migrator.rollback(&back, &quiet, Stop::new()).await;
        assert_eq!(result.as_ref().map(|answer| answer.exit_code).unwrap_or(99), 0, "{}", error_text(&result));
        assert_eq!(home.tables(), Vec::<String>::new());
        assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0);
    }
}
