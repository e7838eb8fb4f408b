//! Codes of databases: what causes them, and what to do.

use super::Cause;

pub(super) const TABLE: &[Cause] = &[
    (
        "LIM-D001",
        "The address cannot be read, names a scheme that this binary does not speak, or has a parameter that does not exist or \
         contradicts another.",
        "The forms are `sqlite:PATH`, `postgres://user@host:5432/name` (or key=value pairs), and `mysql://user@host:3306/name`. In a \
         password write `@ : / ? # %` as `%40 %3A %2F %3F %23 %25`. `limosa config explain database` shows where the address came from, \
         without its password.",
    ),
    (
        "LIM-D002",
        "No server answered: a wrong host or port, a server that is down or still starting, a firewall, a name that DNS does not know, \
         or TLS that failed.",
        "Check the address with `limosa config explain database`. If the server is only slow to start, as in a new pod or a CI service, \
         wait for it: `--wait-for-database 60s`. `limosa doctor` says what it sees.",
    ),
    (
        "LIM-D003",
        "The server knows no such user, the password is wrong, or its rules for access (`pg_hba.conf`, the host part of a MySQL account) \
         do not let this user in from here.",
        "Check user and host in the message. If the password comes from a reference, see that it is the new one: a secret that was \
         rotated in one place only is the usual reason. A `.pgpass` that others can read is ignored, and the message then says so: \
         `chmod 600`.",
    ),
    (
        "LIM-D004",
        "The server answered, and it has no database of that name. On SQLite: the folder of the file does not exist.",
        "Check the name in the address. If it is to be made now: `limosa migrate --create-database`.",
    ),
    (
        "LIM-D005",
        "The user that connects lacks a right: on an object of your migration, or on limosa's own tables.",
        "What limosa itself needs is printed by `limosa init --print-ledger-sql`, as SQL that an administrator can run. If another role owns \
         the tables, let limosa take it on: `role = \"owner\"` (PostgreSQL). `limosa doctor` checks the rights.",
    ),
    (
        "LIM-D006",
        "The server is a standby, or the session or the file is read-only.",
        "Use the address of the primary. After a failover DNS may still lead to the old one. For a SQLite file check its rights and those \
         of its folder: SQLite writes its journal beside the file. Where a process that wrote died (SQLITE_READONLY_ROLLBACK), the file is mended by \
         whoever opens it for writing next: `limosa migrate`, or `limosa backup`, which changes nothing.",
    ),
    (
        "LIM-D007",
        "The connection went away outside of the statements of a migration: while limosa looked at the database or wrote its own tables.",
        "Run the same command again. Nothing is left behind: what was open is rolled back by the server.",
    ),
    (
        "LIM-D008",
        "The server said that its disk is full, its memory is used up, or it has too many connections.",
        "Make room on the server, or wait until others have left, then run again. Building an index or rewriting a table needs room for a \
         second copy of it.",
    ),
    (
        "LIM-D009",
        "The database refused something that limosa itself asked for, and the reason is none of the other kinds. The message is the \
         server's own.",
        "Read the message; `limosa doctor` may say more. If it looks like a mistake of limosa, report it with the output of \
         `limosa --version` and of the same command with `--verbose`.",
    ),
    (
        "LIM-D010",
        "A command that only reads was asked about a SQLite file that does not exist. It is not made for that.",
        "The first `limosa migrate` makes it. If it should be there already, check the path: it counts from the current folder, or from \
         the folder of limosa.toml where it stands there.",
    ),
    (
        "LIM-D011",
        "MariaDB and MySQL commit each DROP and each CREATE by itself, so that a restore or a clean which ends in the middle (a lost \
         connection, a full disk, a killed process) leaves a part: of what stood, or of the backup. The table `limosa_unfinished` stands \
         from before the first DROP to the end, and as long as it does limosa runs nothing and calls the database neither ready nor well, \
         whatever the ledger says.",
        "Where it is still under way, wait for it. Where it ended in the middle, run the same command again to its end; it begins anew: `limosa restore --allow-data-loss NAME FILE`, or `limosa clean`. Where \
         the database was put right by other means, drop the table `limosa_unfinished`.",
    ),
];
