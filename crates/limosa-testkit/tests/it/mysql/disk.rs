//! A disk that fills up.

use std::fs;
use std::os::unix::fs::MetadataExt;

use limosa_testkit::MysqlServer;
use limosa_testkit::mysql::{self, ServerOptions};

const MEGABYTE: u64 = 1 << 20;

/// Some 40 MB of rows.
const BIG: &str = "insert into t select 0, repeat('x', 10000) from seq s, seq r where s.n <= 50 and r.n <= 80";

#[test]
fn a_server_runs_out_of_disk_and_goes_on_when_there_is_more() {
    for version in mysql::tested().unwrap() {
        let options = ServerOptions::new().disk(160 * MEGABYTE);
        let started = MysqlServer::start_with(&version, &options);
        if fs::metadata("/proc/self").unwrap().uid() != 0 {
            assert!(started.unwrap_err().to_string().contains("mount"), "only root may mount");
            continue;
        }
        let server = started.unwrap();
        let database = server.create_database().unwrap();
        database.execute("create table t (id int auto_increment primary key, s text)").unwrap();
        let numbers: Vec<String> = (1..=100).map(|n| format!("({n})")).collect();
        database.execute(&format!("create table seq (n int); insert into seq values {}", numbers.join(","))).unwrap();
        let error = (0..20).find_map(|_| database.execute(BIG).err()).unwrap().to_string();
        assert!(error.contains("(1114, HY000)") && error.contains("is full"), "{error}");

        server.resize_disk(600 * MEGABYTE).unwrap();
        database.execute(BIG).unwrap();
        let data = server.data();
        drop(server);
        assert!(!data.exists());
        let mounts = fs::read_to_string("/proc/mounts").unwrap();
        assert!(!mounts.contains(data.to_str().unwrap()), "{mounts}");
    }
}

#[test]
fn only_a_server_with_a_disk_of_its_own_can_change_it() {
    let server = mysql::shared(&mysql::newest().unwrap()).unwrap();
    server.resize_disk(MEGABYTE).unwrap_err();
}
