//! Checksums that Liquibase 4.33.0 itself makes of these files, by both of its rules (`ChangeSet.generateCheckSum`, on SQLite).

use std::collections::BTreeMap;

use limosa_core::{Agreement, ForeignRow};
use limosa_sql::Engine;

use super::super::Changelogs;

/// A file, and its changes with their checksums.
type Made = (&'static str, &'static [u8], &'static [(&'static str, &'static str, &'static str)]);

const MADE: &[Made] = &[
    (
        "plain.sql",
        "--liquibase formatted sql\n\n--changeset ann:1\ncreate table a (n integer);\n".as_bytes(),
        &[
            ("plain.sql::1::ann", "8:2c21cb1c52d22f7ebd9cc2376c838691", "9:d84bc65b36aa8a8303bb1c7bd0825d50"),
        ],
    ),
    (
        "crlf.sql",
        "--liquibase formatted sql\r\n\r\n--changeset ann:1\r\ncreate table a (n integer);\r\n--changeset ann:2\r\ninsert into a\r\n  values (1);\r\n".as_bytes(),
        &[
            ("crlf.sql::1::ann", "8:2c21cb1c52d22f7ebd9cc2376c838691", "9:d84bc65b36aa8a8303bb1c7bd0825d50"),
            ("crlf.sql::2::ann", "8:74c81f2811b6288b5050695171f4db31", "9:45cafeec32d4f625d26172383407a133"),
        ],
    ),
    (
        "comments.sql",
        "--liquibase formatted sql\n--changeset ann:1\n-- words\ncreate table a (n integer); -- more\n/* block\n comment */\nselect 1;\n".as_bytes(),
        &[
            ("comments.sql::1::ann", "8:1d5359ee4e63501e9c7750064f91ad7b", "9:0dcdb2c4da78299682c3bc2c20d97a22"),
        ],
    ),
    (
        "nosplit.sql",
        "--liquibase formatted sql\n--changeset ann:1 splitStatements:false\ncreate table a (n integer);\nselect 1;\n".as_bytes(),
        &[
            ("nosplit.sql::1::ann", "8:4901a485a1c68d6dc27177fc855cc585", "9:4f83cc6d4526058b3735cb25d3bd0f92"),
        ],
    ),
    (
        "nostrip.sql",
        "--liquibase formatted sql\n--changeset ann:1 stripComments:false\n-- words\ncreate table a (n integer);\n".as_bytes(),
        &[
            ("nostrip.sql::1::ann", "8:f51ee78557ab29eed8bca3aac8f719f4", "9:861c0b2df6254ff24117e76196e78b73"),
        ],
    ),
    (
        "delimiter.sql",
        "--liquibase formatted sql\n--changeset ann:1 endDelimiter:/\ncreate table a (n integer)\n/\nselect 1\n/\n--changeset ann:2 splitStatements:true endDelimiter:\\nGO rollbackEndDelimiter:x rollbackSplitStatements:false\nselect 1\nGO\nselect 2\nGO\n".as_bytes(),
        &[
            ("delimiter.sql::1::ann", "8:5d6101240c853c88623bae3f6c30e589", "9:559c937c7df8529b4f16f0293a96f35c"),
            ("delimiter.sql::2::ann", "8:9cdd1ee664b6add3c3e667ae80841ea8", "9:f70c62417a68951b3924c6775b737eb6"),
        ],
    ),
    (
        "slash.sql",
        "--liquibase formatted sql\n--changeset ann:1\nselect 1;\n/\n--changeset ann:2\nselect 2;\n/\n".as_bytes(),
        &[
            ("slash.sql::1::ann", "8:3a67f0868a52b584928865c0e7aa41be", "9:8a5e04f47b653b65f1eba3db61b278e3"),
            ("slash.sql::2::ann", "8:721b82bdd161fe29b019175ed632fffb", "9:f27eb48c0fd8aa55a76e969ae46fa05a"),
        ],
    ),
    (
        "multi.sql",
        "--liquibase formatted sql\n--changeset ann:1\ncreate table a (n integer);\ncreate table b (n integer);\ninsert into a values (1);\n".as_bytes(),
        &[
            ("multi.sql::1::ann", "8:6a233a90323070ec93a4e227f8bd1f77", "9:30f646baea4c80f3d809db52b0671542"),
        ],
    ),
    (
        "onchange.sql",
        "--liquibase formatted sql\n--changeset ann:v runOnChange:true\ncreate view v as select 1;\n--changeset ann:w runAlways:true\nselect 3;\n".as_bytes(),
        &[
            ("onchange.sql::v::ann", "8:9846ccdfb2bc01ef676c35f518bdcc1b", "9:a6deebb38c60d0b93c23db8ba5af2852"),
            ("onchange.sql::w::ann", "8:dc314ea4c02dfe0523fa3d380586c911", "9:eb5293986fdafb077aef876307b78395"),
        ],
    ),
    (
        "unicode.sql",
        "--liquibase formatted sql\n--changeset ann:\"größe 1\"\ninsert into a values ('größe — 漢字 🐦 e\u{301}');\n".as_bytes(),
        &[
            ("unicode.sql::größe 1::ann", "8:7b02d268fbaf798196f6e302e8a395b7", "9:c78c95d3c07802208d9c0d040a12e9fa"),
        ],
    ),
    (
        "rollback.sql",
        "--liquibase formatted sql\n--changeset ann:1\ncreate table a (n integer);\n--rollback drop table a;\n  -- rollback drop table b;\n/* liquibase rollback\ndrop table c;\ndrop table d;\n*/\nselect 1;\n--rollbackx\n".as_bytes(),
        &[
            ("rollback.sql::1::ann", "8:2b5a404d11d2718e1212819f34ecbe51", "9:e181e174569e6f1a39c03e08bcbd7c0b"),
        ],
    ),
    (
        "comment.sql",
        "--liquibase formatted sql\n--changeset ann:1\n--comment: why\nselect 1;\n--changeset ann:2\n-- comment why it is\nselect 2;\n--changeset ann:3\n  --comment indented\nselect 3;\n--changeset ann:4\n--comment:tight\nselect 4;\n".as_bytes(),
        &[
            ("comment.sql::1::ann", "8:07d7d7a28c35b80d36e41424401a2f3e", "9:a7ca957848b7a2d82c733ec390529b49"),
            ("comment.sql::2::ann", "8:a831000d0868c3af2fc99814c0481415", "9:95f73f1cbca88624a9748e8f80d48571"),
            ("comment.sql::3::ann", "8:4cc0d54751e457e0c94237b45557482e", "9:685df266768435852d08be7a45dd0e91"),
            ("comment.sql::4::ann", "8:6d25bb2b6f6fbb951d4ef32fdfe718de", "9:bce6094dbc6bd8fcb1303605258373a9"),
        ],
    ),
    (
        "valid.sql",
        "--liquibase formatted sql\n--changeset ann:1\n--validCheckSum: ANY\nselect 1;\n--changeset ann:2\n--validCheckSum 9:0123456789abcdef0123456789abcdef\n--validCheckSum: 8:ffff\nselect 2;\n--changeset ann:3\n--validCheckSum:1:any\nselect 3;\n--changeset ann:4\n--validCheckSum: 1:any\nselect 4;\n".as_bytes(),
        &[
            ("valid.sql::1::ann", "8:07d7d7a28c35b80d36e41424401a2f3e", "9:a7ca957848b7a2d82c733ec390529b49"),
            ("valid.sql::2::ann", "8:a831000d0868c3af2fc99814c0481415", "9:95f73f1cbca88624a9748e8f80d48571"),
            ("valid.sql::3::ann", "8:03a19f25a44d95586d9a7b83a3ea179b", "9:8c8d3ed9ec35aabd80f858d7847204d2"),
            ("valid.sql::4::ann", "8:8be410b664005a2dc24d6dc340eb3a78", "9:1565fa6d8d6ad5c507921c25a2dc3746"),
        ],
    ),
    (
        "blank.sql",
        "--liquibase formatted sql\n\n\n--changeset ann:1\n\n\n  create   table a\n\n(n\tinteger)  ;  \n\n\n--changeset ann:2\n\nselect 2;   \t\n\n".as_bytes(),
        &[
            ("blank.sql::1::ann", "8:1172bc525c4e51a1e7282c58ee563ed0", "9:d84bc65b36aa8a8303bb1c7bd0825d50"),
            ("blank.sql::2::ann", "8:a831000d0868c3af2fc99814c0481415", "9:95f73f1cbca88624a9748e8f80d48571"),
        ],
    ),
    (
        "pre.sql",
        "--liquibase formatted sql\n--changeset ann:1\n--preconditions onFail:MARK_RAN onError:HALT\n--precondition-sql-check expectedResult:0 select count(*) from x\nselect 1;\n--changeset ann:2\n  --precondition-table-exists table:a schema:s\nselect 2;\n".as_bytes(),
        &[
            ("pre.sql::1::ann", "8:07d7d7a28c35b80d36e41424401a2f3e", "9:a7ca957848b7a2d82c733ec390529b49"),
            ("pre.sql::2::ann", "8:a831000d0868c3af2fc99814c0481415", "9:95f73f1cbca88624a9748e8f80d48571"),
        ],
    ),
    (
        "ignored.sql",
        "--liquibase formatted sql\n--changeset ann:1\nselect 1;\n--ignoreLines:2\nselect 2;\nselect 3;\nselect 4;\n--ignoreLines:start\n--changeset no:1\nselect 5;\n--ignoreLines:end\nselect 6;\n".as_bytes(),
        &[
            ("ignored.sql::1::ann", "8:85567b14dae2bfdb05110a73f948ee07", "9:985162c43cf96f6b0bd55287155991b6"),
        ],
    ),
    (
        "property.sql",
        "--liquibase formatted sql\n--property name:t value:things\n--property name:u value:a_${t}\n--changeset ann:1\ncreate table ${t} (${unknown} integer, ${ u } integer, ${:t} int);\n--property name:t value:other\n--changeset ann:2\nselect '${t}', '${x${t}}', '${', '$t', '${t';\n".as_bytes(),
        &[
            ("property.sql::1::ann", "8:0208c92fdb631ce75acf8a668532b419", "9:1c58972169e7579772cc7c6e5505f1d4"),
            ("property.sql::2::ann", "8:c2517804543c9f20d44d648ba4f1e6b7", "9:cb7871e97841d331f0670f6ab096593b"),
        ],
    ),
    (
        "property2.sql",
        "--liquibase formatted sql\n--property name:t value:one dbms:oracle\n--property name:t value:two context:prod\n-- property name:t value:three global:false\n--property name:t value:four\n--changeset ann:${t} dbms:${t}\nselect '${t}';\n--property name:s value:late\n--changeset ann:2\nselect '${s} ${later}';\n--property name:later value:x\n".as_bytes(),
        &[
            ("property2.sql::two::ann", "8:72e460a71d2ba0b670b1e544eedf722c", "9:e3ff920fb8586d94c68ff2c73df7c5d8"),
            ("property2.sql::2::ann", "8:4fbce0f940959cece499cf8d70f736af", "9:cef1f749109962d6c2f845662c44e1a4"),
        ],
    ),
    (
        "bom.sql",
        "\u{feff}--liquibase formatted sql\n--changeset ann:1\nselect 1;\n".as_bytes(),
        &[
            ("bom.sql::1::ann", "8:07d7d7a28c35b80d36e41424401a2f3e", "9:a7ca957848b7a2d82c733ec390529b49"),
        ],
    ),
    (
        "cr.sql",
        "--liquibase formatted sql\n--changeset ann:1\nselect 1;\n-- x\rselect 2;\r--rollback no;\rselect 3;\n".as_bytes(),
        &[
            ("cr.sql::1::ann", "8:687f2807a9d2ec50fed4e3a21fafdee0", "9:ff9b7df57f6d7daf0bd25706aec63ea3"),
        ],
    ),
    (
        "ff.sql",
        "--liquibase formatted sql\n--changeset ann:1\n\u{b}\u{c}select\u{b}1\u{a0};\u{c}\n".as_bytes(),
        &[
            ("ff.sql::1::ann", "8:f82e7ea90dbe28e9a4ee03683c375c1a", "9:05945ce45ac9342e7a3cf50230bca918"),
        ],
    ),
    (
        "latin.sql",
        b"--liquibase formatted sql\n--changeset ann:1\nselect '\xF6\xFF';\n",
        &[
            ("latin.sql::1::ann", "8:ce87e921d7688d3ad2584694846f7e61", "9:ac220c961e9e44d3c83d58233d34d0ed"),
        ],
    ),
];

fn changelogs(files: &[(&str, &[u8])]) -> Changelogs {
    let mut changelogs = Changelogs::default();
    changelogs.stand_for(None, &BTreeMap::new());
    for (path, bytes) in files {
        assert!(changelogs.add(path, bytes, Engine::Sqlite).is_empty());
    }
    changelogs.settle();
    changelogs
}

#[test]
fn changes_have_the_checksums_that_liquibase_makes() {
    for (path, bytes, changes) in MADE {
        let changelogs = changelogs(&[(*path, *bytes)]);
        for (identity, eight, nine) in *changes {
            for recorded in [eight, nine] {
                assert_eq!(
                    changelogs.agreement(identity, bytes, recorded),
                    Some(Agreement::Same),
                    "{identity} {recorded}"
                );
            }
            let mut row = ForeignRow::default();
            changelogs.complete(identity, bytes, &mut row);
            assert_eq!(row.checksum.as_deref(), Some(*nine), "{identity}");
        }
        assert_eq!(changelogs.agreement("x", bytes, "9:00"), None);
    }
}

#[test]
fn a_file_that_is_a_change_is_taken_as_it_stands() {
    let raw = b"-- words\ncreate table a (n integer);\n\nselect '${t}';\n";
    let list = b"<databaseChangeLog><property name=\"t\" value=\"x\"/><include file=\"raw.sql\"/></databaseChangeLog>";
    let changelogs = changelogs(&[("changelog.xml", list), ("raw.sql", raw)]);
    for recorded in ["8:73aefc5f3886f4666ea29f73c9f98c9c", "9:ff67bb2c3b3737cbf0cd3e8285249658"] {
        assert_eq!(changelogs.agreement("raw.sql::raw::includeAll", raw, recorded), Some(Agreement::Same));
    }
}

#[test]
fn rows_say_what_the_line_of_a_change_says() {
    let text = b"--liquibase formatted sql\n--changeset ann:1 context:\"a and b\" labels:x,y runAlways:true\n--comment: why \nselect 1;\n\
        --changeset ann:v runOnChange:true\n--validCheckSum: ANY\nselect 2;";
    let changelogs = changelogs(&[("a.sql", text)]);
    let mut row = ForeignRow::default();
    changelogs.complete("a.sql::1::ann", text, &mut row);
    let said: Vec<(&str, &str)> = row.more.iter().map(|(column, text)| (*column, text.as_str())).collect();
    assert_eq!(said, [("comments", "why"), ("contexts", "(a and b)"), ("labels", "x,y")]);
    let allowed = changelogs.agreement("R:a.sql::v::ann", text, "9:00");
    assert_eq!(allowed, Some(Agreement::SameBut("what validCheckSum allows")));
}

#[test]
fn a_tag_stands_in_the_row_of_its_change() {
    let list = b"<databaseChangeLog><changeSet id=\"1\" author=\"a\"><tagDatabase tag=\"v1\"/></changeSet></databaseChangeLog>";
    let changelogs = changelogs(&[("changelog.xml", list)]);
    let mut row = ForeignRow::default();
    changelogs.complete("changelog.xml::1::a", b"", &mut row);
    assert_eq!((row.checksum, row.more.get("tag").map(String::as_str)), (None, Some("v1")));
}
