//! An application that brings its database up to date when it starts.
//!
//!     cargo run -p limosa --example startup -- sqlite:app.db

#![allow(clippy::print_stdout, unreachable_pub)]

use limosa::{CodeError, Connection, Embedded, Engine, Event, Migrator, Progress, RustMigration, Stop, Version};

/// The files are part of the program; a folder as a whole goes with the feature `include_dir`.
fn files() -> Embedded {
    Embedded::new([
        ("001_posts.sql", include_str!("migrations/001_posts.sql")),
        ("002_slug.sql", include_str!("migrations/002_slug.sql")),
    ])
}

/// What SQL cannot say well. It runs in one transaction with its row in the ledger.
async fn fill_slugs(mut connection: Connection<'_>) -> Result<(), CodeError> {
    let update = match connection.engine() {
        Engine::Sqlite => "update posts set slug = ?1 where id = ?2",
        _ => "update posts set slug = $1 where id = $2",
    };
    for row in connection.query("select id, title from posts", &[]).await? {
        let slug = row.text(1).unwrap_or_default().to_lowercase().replace(' ', "-");
        connection.query(update, &[slug.into(), row.integer(0).unwrap_or_default().into()]).await?;
    }
    Ok(())
}

/// The migrator of the application, for a database.
///
/// # Errors
/// What does not fit together.
pub fn migrator(address: &str) -> Result<Migrator, Box<dyn std::error::Error>> {
    // When the code means something else one day, it declares another version than "1".
    let slugs = RustMigration::from_fn("003", "fill slugs", "1", |connection| Box::pin(fill_slugs(connection)))?;
    Ok(Migrator::builder(address).embedded(files()).code(slugs).actor("the example").build()?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "sqlite:app.db".to_owned());
    let migrator = migrator(&address)?;

    // Any number of instances may be here at once: one migrates, the others wait for it.
    let tell = |progress: Progress| {
        if let Progress::Run(Event::StepDone { label, name, elapsed, .. }) = progress {
            println!("migrated to {label} ({name}) in {} ms", elapsed.as_millis());
        }
    };
    let summary = migrator.run_at_startup_telling(&tell, Stop::new()).await?;
    println!("{summary}");

    // For a readiness probe: reads only, and takes no lock.
    let ready = migrator.ready(Some(&Version::parse("3")?)).await?;
    println!("ready: {}", ready.exit_code == 0);
    Ok(())
}
