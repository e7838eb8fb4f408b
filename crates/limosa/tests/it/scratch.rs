//! Scratch databases are never that of the application, whatever its address and its settings say.

use limosa::{Embedded, Migrator, Scratch, Secret};

use crate::place::{Home, all_homes};

const FILES: [(&str, &str); 1] =
    [("001_posts.sql", "create table posts (id integer primary key);\ninsert into posts values (7);\n")];

/// The same database in the forms in which an address can name it.
fn forms_of(home: &Home) -> Vec<String> {
    let url = home.url();
    let (server, name) = url.rsplit_once('/').unwrap();
    let (_, port) = server.rsplit_once(':').unwrap();
    match home.is_mysql() {
        true => vec![format!("{server}/?database={name}"), format!("{server}/mysql?dbname={name}")],
        false => vec![
            format!("{server}?dbname={name}"),
            format!("{server}/postgres?dbname={name}"),
            format!("host=127.0.0.1 port={port} user=postgres dbname={name}"),
        ],
    }
}

async fn posts(scratch: &Scratch) -> Vec<Option<String>> {
    scratch.query("select id from posts").await.unwrap().iter().map(|row| row.text(0)).collect()
}

#[tokio::test]
async fn a_scratch_is_another_database_however_the_address_names_its_own() {
    for home in all_homes().into_iter().filter(|home| !home.is_sqlite()) {
        for form in forms_of(&home) {
            let application = Migrator::builder(form.clone()).embedded(Embedded::new(FILES));
            let scratch = Scratch::on(&form).await.unwrap();
            scratch.migrate(&application).await.unwrap();
            assert_eq!(posts(&scratch).await, [Some("7".to_owned())], "{form}");
            scratch.remove().await.unwrap();
            assert_eq!(home.tables(), [""; 0], "{form}");
        }
    }
}

/// What the application says of its own database beside its address leads nowhere else, and is written nowhere.
#[tokio::test]
async fn a_scratch_leaves_the_database_of_the_application_alone() {
    for home in all_homes() {
        let anchors = home.folder.join("anchors");
        let (direct, file) = (Secret::new(home.url()), anchors.clone());
        let application = Migrator::builder(home.url()).embedded(Embedded::new(FILES)).with(move |configuration| {
            configuration.direct_url = Some(direct);
            configuration.pooled = Some(true);
            configuration.anchor_file = Some(file);
        });
        let scratch = Scratch::on(&home.url()).await.unwrap();
        scratch.migrate(&application).await.unwrap();
        assert_eq!(posts(&scratch).await, [Some("7".to_owned())]);
        scratch.remove().await.unwrap();
        assert_eq!(home.tables(), [""; 0]);
        assert!(!anchors.exists());
    }
}
