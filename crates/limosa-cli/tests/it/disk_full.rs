//! No room left: a clear message, nothing lost, and the next run finishes once there is room.
//!
//! Where the tests may mount, the room is a small file system of its own; elsewhere it is the limit on the size of a file that
//! the system keeps for a process (`ulimit -f`), whose signal is ignored so that writing fails instead.

use std::path::{Path, PathBuf};
use std::process::Command;

use limosa_testkit::{Folder, Limosa};

use super::stage::{limosa, run, seen, sound, sqlite};

/// A folder with little room: 1 MB, where it could be mounted.
struct Narrow {
    path: PathBuf,
    mounted: bool,
}

impl Narrow {
    fn new(folder: &Folder, name: &str) -> Self {
        let path = folder.join(name);
        std::fs::create_dir_all(&path).unwrap();
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m,mode=0777", "tmpfs"]).arg(&path).output();
        Self { mounted: mount.is_ok_and(|output| output.status.success()), path }
    }

    /// A call that finds no room: where nothing is mounted, no file of it may grow beyond the limit.
    fn call(&self, folder: &Folder, url: &str, words: &[&str]) -> Limosa {
        if self.mounted { limosa(folder, url, words) } else { limited(folder, url, words) }
    }

    fn widen(&self) {
        if self.mounted {
            let output = Command::new("mount").args(["-o", "remount,size=64m"]).arg(&self.path).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

impl Drop for Narrow {
    fn drop(&mut self) {
        if self.mounted {
            let _ = Command::new("umount").arg("-l").arg(&self.path).output();
        }
    }
}

/// A call none of whose files may grow beyond about 1 MB; the shell counts in blocks of 512 or 1024 bytes.
fn limited(folder: &Folder, url: &str, words: &[&str]) -> Limosa {
    Limosa::new("sh")
        .in_folder(folder.path())
        .env("LIMOSA_DATABASE", url)
        .args(["-c", "trap '' XFSZ; ulimit -f 1500; exec \"$@\"", "sh", super::LIMOSA])
        .args(words)
}

/// Some 4 MB of rows.
const BIG: &str = "insert into big with recursive n(x) as (select 1 union all select x + 1 from n where x < 4000) \
                   select x, hex(randomblob(500)) from n;\n";

fn big() -> Folder {
    Folder::new()
        .file("migrations/001_big.sql", "create table big (id integer primary key, text text);\n")
        .file("migrations/002_rows.sql", format!("create table more (id integer);\n{BIG}"))
}

fn healthy(path: &Path, expected: &str) {
    let database = sqlite(path);
    assert_eq!(seen(&database, "pragma integrity_check"), "ok");
    assert_eq!(seen(&database, "select count(*) from big"), expected);
}

#[test]
fn sqlite_on_a_full_disk() {
    let folder = big();
    let narrow = Narrow::new(&folder, "disk");
    let url = "sqlite:disk/app.db";
    let output = narrow.call(&folder, url, &["migrate"]).run().unwrap().assert_code(3);
    let words = if narrow.mounted { "disk is full" } else { "disk" };
    assert!(output.stderr.contains("LIM-R042") && output.stderr.contains(words), "{output}");
    assert!(output.stderr.contains("migrations/002_rows.sql"), "{output}");
    assert!(output.stdout.contains("stands      001") && output.stdout.contains("not kept    002"), "{output}");
    healthy(&folder.join("disk/app.db"), "0");
    narrow.widen();
    let _ = run(&folder, url, &["migrate"], 0);
    healthy(&folder.join("disk/app.db"), "4000");
    sound(&folder, url).unwrap();
}

/// The same by the limit of the process, wherever the tests run.
#[test]
fn sqlite_whose_file_may_not_grow() {
    let folder = big();
    let url = "sqlite:app.db";
    let output = limited(&folder, url, &["migrate"]).run().unwrap().assert_code(3);
    assert!(output.stderr.contains("LIM-R042") && output.stderr.contains("migrations/002_rows.sql"), "{output}");
    assert!(output.stdout.contains("not kept    002"), "{output}");
    healthy(&folder.join("app.db"), "0");
    let _ = run(&folder, url, &["migrate"], 0);
    healthy(&folder.join("app.db"), "4000");
    sound(&folder, url).unwrap();
}

#[test]
fn a_backup_without_room_stops_the_run() {
    let folder = big();
    let url = "sqlite:app.db";
    let _ = run(&folder, url, &["migrate"], 0);
    folder.write("migrations/003_c.sql", "create table c (id integer);\n");
    let narrow = Narrow::new(&folder, "backups");
    let words = ["migrate", "--backup", "--backup-dir", "backups"];
    let output = narrow.call(&folder, url, &words).run().unwrap().assert_code(3);
    assert!(output.stderr.contains("backup"), "{output}");
    let tables = "select count(*) from sqlite_schema where name = 'c'";
    assert_eq!(seen(&sqlite(&folder.join("app.db")), tables), "0", "{output}");
    let left: Vec<_> = folder.files().into_iter().filter(|name| name.starts_with("backups/")).collect();
    assert!(left.is_empty(), "half a backup was left: {left:?}");
    narrow.widen();
    let _ = run(&folder, url, &words, 0);
    assert_eq!(seen(&sqlite(&folder.join("app.db")), tables), "1");
    sound(&folder, url).unwrap();
}

#[cfg(feature = "postgres")]
mod postgres {
    use limosa_testkit::{PostgresServer, postgres};

    use super::super::stage::server;
    use super::*;

    /// On a tablespace of its own where the tests may mount; elsewhere the server says by itself what it says then.
    #[test]
    fn the_server_has_no_room() {
        let folder = Folder::new();
        // A server of its own: after this its tablespace is gone.
        let server = PostgresServer::start(server::newest().version()).unwrap();
        let database = server.create_database().unwrap();
        let narrow = Narrow::new(&folder, "disk");
        let space = format!("narrow_{}", database.name());
        let fill = if narrow.mounted {
            open_to_all(folder.path());
            let place = narrow.path.join("space");
            std::fs::create_dir(&place).unwrap();
            own(&place, server.folder());
            database.execute(&format!("create tablespace {space} location '{}'", place.display())).unwrap();
            format!(
                "create table big (id integer, text text) tablespace {space};\n\
                 insert into big select n, repeat(md5(n::text), 20) from generate_series(1, 10000) n;\n"
            )
        } else {
            "create table big (id integer, text text);\n\
             do $$ begin raise exception 'could not extend file: No space left on device' using errcode = 'disk_full'; end $$;\n"
                .to_owned()
        };
        let folder = folder.file("migrations/001_a.sql", "create table a ();\n").file("migrations/002_big.sql", fill);
        let output = run(&folder, &database.url(), &["migrate"], 3);
        for word in ["LIM-R042", "53100", "No space left", "migrations/002_big.sql:2", "statement 2 of 2"] {
            assert!(output.stderr.contains(word), "no {word:?}\n{output}");
        }
        assert!(output.stdout.contains("stands      001") && output.stdout.contains("not kept    002"), "{output}");
        assert_eq!(server::value(&database, "select concat_ws(' ', to_regclass('a'), to_regclass('big'))"), "a");
        if narrow.mounted {
            narrow.widen();
        } else {
            folder.write("migrations/002_big.sql", "create table big (id integer, text text);\n");
        }
        let _ = run(&folder, &database.url(), &["migrate"], 0);
        assert_eq!(server::value(&database, "select to_regclass('big')"), "big");
        sound(&folder, &database.url()).unwrap();
    }

    #[test]
    fn a_backup_without_room_stops_the_run() {
        let folder = Folder::new().file(
            "migrations/001_big.sql",
            "create table big as select string_agg(sha512((n || '-' || m)::text::bytea)::text, '') as text \
             from generate_series(1, 500) n, generate_series(1, 100) m group by n;\n",
        );
        let (server, path) = with_dump();
        let database = server.create_database().unwrap();
        let _ = run(&folder, &database.url(), &["migrate"], 0);
        folder.write("migrations/002_b.sql", "create table b (id integer);\n");
        let narrow = Narrow::new(&folder, "backups");
        let words = ["migrate", "--backup", "--backup-dir", "backups"];
        let call = narrow.call(&folder, &database.url(), &words).env("PATH", path.clone());
        let output = call.run().unwrap().assert_code(3);
        assert!(output.stderr.contains("backup failed") && output.stderr.contains("No space left"), "{output}");
        assert_eq!(server::value(&database, "select to_regclass('b')"), "", "{output}");
        narrow.widen();
        let _ = limosa(&folder, &database.url(), &words).env("PATH", path).run().unwrap().assert_code(0);
        assert_eq!(server::value(&database, "select to_regclass('b')"), "b");
        sound(&folder, &database.url()).unwrap();
    }

    /// The newest server that has its own `pg_dump`, and a search path that finds that first.
    fn with_dump() -> (&'static PostgresServer, std::ffi::OsString) {
        let versions = postgres::versions().unwrap();
        let version = versions.into_iter().rfind(|version| version.program("pg_dump").is_some()).unwrap();
        let paths = std::env::var_os("PATH").unwrap_or_default();
        let own = version.bin().to_owned();
        let path = std::env::join_paths(std::iter::once(own).chain(std::env::split_paths(&paths))).unwrap();
        (postgres::shared(&version).unwrap(), path)
    }

    /// Gives a folder to the user of the server.
    fn own(place: &Path, like: &Path) {
        let output = Command::new("chown").arg("--reference").arg(like.join("data")).arg(place).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// The server runs as another user and must reach its tablespace.
    fn open_to_all(folder: &Path) {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}
