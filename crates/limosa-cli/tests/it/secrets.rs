//! No secret in any output: a canary stands wherever a secret may stand, and every output is searched for it.

use limosa_testkit::{Folder, Limosa, free_port};

const CANARY: &str = "CANARY-s3cr3t";

#[test]
fn a_canary_is_nowhere_to_be_seen() {
    let folder = Folder::new()
        .file("migrations/001_a.sql", "create table a (x text);\ninsert into a values ('${token}');\n")
        .file("migrations/002_b.sql", "insert into a (y) values ('${token}');\n")
        .file("key.txt", format!("{CANARY}\n"))
        .file(
            "limosa.toml",
            "[audit]\nhmac_key = \"file:key.txt\"\nanchor_file = \"anchors\"\n[placeholders]\ntoken = \"env:TOKEN\"\n",
        );
    let port = free_port().unwrap();
    let unreachable = format!("postgres://app:{CANARY}@127.0.0.1:{port}/shop?sslpassword={CANARY}");
    let pairs = format!("host=127.0.0.1 port={port} password={CANARY} dbname=shop");
    let broken = format!("postgres://app:{CANARY}@127.0.0.1:{port}x/shop");
    let ways: Vec<(&str, Vec<&str>)> = vec![
        ("sqlite:app.db", vec!["migrate"]),
        ("sqlite:app.db", vec!["plan"]),
        ("sqlite:app.db", vec!["status"]),
        ("sqlite:app.db", vec!["history"]),
        ("sqlite:app.db", vec!["doctor"]),
        ("sqlite:app.db", vec!["audit", "verify"]),
        ("sqlite:app.db", vec!["repair"]),
        ("sqlite:app.db", vec!["config", "explain", "-v"]),
        (&unreachable, vec!["migrate"]),
        (&unreachable, vec!["status"]),
        (&unreachable, vec!["health"]),
        (&unreachable, vec!["doctor"]),
        (&unreachable, vec!["config", "explain"]),
        (&pairs, vec!["migrate"]),
        (&pairs, vec!["config", "explain"]),
        (&broken, vec!["migrate"]),
        (&broken, vec!["config", "explain"]),
        (CANARY, vec!["migrate"]),
        (CANARY, vec!["config", "explain"]),
    ];
    let mut searched = 0;
    for (database, words) in &ways {
        for (json, log) in [(false, "text"), (true, "text"), (false, "json"), (true, "json")] {
            for by_flag in [false, true] {
                let mut limosa = Limosa::new(super::LIMOSA)
                    .in_folder(folder.path())
                    .env("TOKEN", CANARY)
                    .env("PGPASSWORD", CANARY)
                    .args(words)
                    .arg("-v");
                if words.contains(&"-v") {
                    limosa = Limosa::new(super::LIMOSA).in_folder(folder.path()).env("TOKEN", CANARY).args(words);
                }
                limosa = if by_flag {
                    limosa.args(["--database", database])
                } else {
                    limosa.env("LIMOSA_DATABASE", *database)
                };
                if json {
                    limosa = limosa.args(["--output", "json"]);
                }
                let output =
                    limosa.env("LIMOSA_LOG_FORMAT", log).env("LIMOSA_METRICS_FILE", "limosa.prom").run().unwrap();
                let all = format!("{}{}", output.stdout, output.stderr);
                assert!(!all.contains(CANARY), "limosa {words:?} with {database} shows a secret\n{output}");
                assert!(!all.is_empty(), "limosa {words:?} says nothing");
                searched += 1;
            }
        }
    }
    assert_eq!(searched, ways.len() * 8);
    assert!(!folder.read("anchors").contains(CANARY));
    assert!(!folder.read("limosa.prom").contains(CANARY));
}
