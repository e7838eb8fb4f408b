//! Codes of runs: what causes them, and what to do.

use super::Cause;

pub(super) const TABLE: &[Cause] = &[
    (
        "LIM-R001",
        "Only one runner at a time works on a project in a database. Another one held the lock for the whole of `lock_wait` (60 s \
         where nothing else is set); the message names it, since when it runs, and when it last gave a sign of life. With \
         `--dry-run=execute` nothing is waited for.",
        "Two pods that start together are the usual case: let the other one finish, or wait longer with `--lock-wait 10m`. \
         `limosa status` shows the runner and what it has done. A runner that died needs no help: the server frees its lock when its \
         session ends, and where that cannot be seen its lease counts as gone after `lease` (30 s) of silence. Where the message comes \
         again and again with the same name, look at that process; end it there, not in the ledger.",
    ),
    (
        "LIM-R002",
        "A statement of a migration or of a way back failed. The message is the server's own, with its code, detail and hint; the \
         place is that of the statement in your file.",
        "Read the summary below the error: it says what stands. `not kept` means that the migration was rolled back as a whole; \
         correct the file and run `limosa migrate` again. Where statements were committed one by one (DDL on MariaDB and MySQL, \
         `CREATE INDEX CONCURRENTLY`, a file with `Transaction: none`), those before the failed one stand: change the file from the \
         failed statement on, and run again; limosa goes on there. Migrations before it stand in each case.",
    ),
    (
        "LIM-R003",
        "A statement waited for a lock longer than `lock_timeout` (3 s), in each of the attempts that `lock_retries` allows. limosa \
         gives up rather than stand in the queue, where all others would wait behind it. The lines before the error name who held \
         the lock.",
        "Look at who stands in the way: mostly a long query or a session `idle in transaction`. Run again when it is gone, or end it. \
         Where the table is always busy, try more often (`--lock-retries 100`) rather than wait longer; a header `-- Lock-timeout: 10s` \
         changes it for one file. Nothing of the migration was kept, unless the summary says otherwise.",
    ),
    (
        "LIM-R004",
        "The server ended the transaction because it and another one waited for each other (a deadlock), or because rows that it had \
         read were changed meanwhile (a serialization failure). limosa tried again as often as `lock_retries` says.",
        "Run again at a quieter time. Where it comes back, the migration and the application lock the same tables in different orders: \
         divide the migration, or change the order of its statements.",
    ),
    (
        "LIM-R005",
        "Ctrl-C, SIGTERM (a pod that is stopped, a CI job that is cancelled), or a cancel on the server: by an administrator, or by \
         `statement_timeout`.",
        "Nothing to clean up by hand. What ran was cancelled and rolled back, what was committed before stands; the summary says which. Run the \
         same command again. If a statement time-out was the reason, set a longer one: `--statement-timeout 10min`, or a header \
         `-- Statement-timeout: 10min` in that file.",
    ),
    (
        "LIM-R006",
        "The connection went away during a run: the server was restarted or failed over, a network device dropped it, or the server \
         ended the session.",
        "Run the same command again. limosa reads the ledger first and knows what stands: an open transaction was rolled back by the \
         server, and a statement that ran alone is looked up in the catalogue. If it comes back at the same statement, look at the \
         server's log: it may run out of memory there.",
    ),
    (
        "LIM-R007",
        "limosa had opened a transaction for the file, and something in it committed or rolled back by itself, which its text does not \
         show: for example a procedure below a header `-- Transaction: always` on MariaDB or MySQL. The row of the ledger could then not \
         commit together with the migration, so that it was refused. On PostgreSQL a file that sets its transaction read-only is told so, too.",
        "What the file committed itself stands, and the ledger does not say so. Look at the database and undo that part. Then put \
         `-- Transaction: none` at the head of the file, so that limosa journals each statement, and run again.",
    ),
    (
        "LIM-R008",
        "Another runner has taken over: this process gave no sign of life for longer than `lease` (a paused machine, a container \
         without CPU) or its session with the lock was gone. The guard in each transaction saw it and kept it from committing.",
        "Nothing of the transaction that was under way was kept, and this process began nothing more. `limosa history` shows what the \
         other runner did; if something is still pending, run again.",
    ),
    (
        "LIM-R009",
        "All statements went well and the COMMIT failed: mostly a constraint that is `DEFERRABLE INITIALLY DEFERRED`, which is checked \
         then. With `--single-transaction` it may belong to any of the migrations of the run.",
        "Nothing was kept. Correct the rows or the migration that adds them, and run again. To find the statement, put \
         `SET CONSTRAINTS ALL IMMEDIATE;` at the end of the file.",
    ),
    (
        "LIM-R010",
        "The file was read when the plan was made and once more while it ran, and the two differ: an editor, a checkout or a deploy \
         wrote to it meanwhile.",
        "Nothing of that transaction was kept. Wait until the files are at rest and run again. In a deploy, run from a folder that \
         nothing else writes to: the image, or a checkout of its own.",
    ),
    (
        "LIM-R011",
        "A file that was there when the plan was made could not be opened or read when its turn came.",
        "The message holds what the file system said. Check that the file still exists and may be read, then run again; migrations \
         before it stand.",
    ),
    (
        "LIM-R012",
        "A file says `${name}`, and no placeholder of that name has a value; or it says `${name:form}` with another form than \
         `identifier` and `literal`. Or a variable of goose's, `${name?message}`, needs a value, and the message says which. It is found \
         before anything runs.",
        "Give the value: `--placeholder name=value`, a variable `LIMOSA_PLACEHOLDER_NAME`, or `[placeholders]` in limosa.toml. Where the \
         text is no placeholder at all (a template, a shell variable inside of a string), write `-- Placeholders: off` at the head of \
         the file.",
    ),
    (
        "LIM-R013",
        "`--dry-run=execute` was rolled back, and the server said that rows in tables without transactions (MyISAM, Aria, MEMORY) stay \
         as the dry run left them.",
        "Look at the rows of the tables that the migration writes to. For such a database use `limosa plan`, which runs nothing; or \
         convert the tables with `ALTER TABLE ... ENGINE = InnoDB`. `limosa doctor` names them.",
    ),
    (
        "LIM-R014",
        "A callback that is a program (`afterMigrate.sh`) ended with another code than 0, or could not be started: it is not executable, or the program that its ending asks for (`sh`, `bash`, `python3`, `pwsh`) is not installed.",
        "Its output stands above the error. Run it by hand with the same variables (placeholders are in `FP__name__`). The help says what stands: where it ran as `afterMigrate`, all migrations are applied, and the next `limosa migrate` runs it again.",
    ),
    (
        "LIM-R015",
        "A migration that is written in Rust gave an error or panicked, went on behind a statement that had failed, ended the transaction that it runs in, or is not part of the application that runs now. DDL on MariaDB and MySQL ends the transaction.",
        "Its transaction was rolled back, and it is recorded as failed only. Mend the code and start the application again. On MariaDB and MySQL write DDL into SQL files. Where the code is missing, run the release that brought it.",
    ),
    (
        "LIM-R020",
        "A run died while the server still worked on its statement, for example on a long `CREATE INDEX CONCURRENTLY`. To begin \
         anything now would run beside it.",
        "Wait until the statement ends and run again: limosa then sees how it ended. Or cancel it with the statement that the message \
         shows, and run again.",
    ),
    (
        "LIM-R021",
        "A run died after it had begun a statement that commits by itself, and before it could note how that ended. The catalogue proves \
         neither that it took effect nor that it did not: `TRUNCATE`, `CALL`, a `VACUUM`, a table, column or sequence that is replaced \
         by one like it, or an object that others changed meanwhile.",
        "Look at the database: is the effect of that statement there? Then say so with one of the two commands in the message: \
         `limosa repair --mark-done MIGRATION:NUMBER` if it is, `limosa repair --retry MIGRATION:NUMBER` if it is not. After that run \
         `limosa migrate` again. `limosa repair` without a flag shows the question again.",
    ),
    (
        "LIM-R022",
        "A file was interrupted between two of its commits, and the statements that are left read something that went away with the old \
         connection: a temporary table, a user variable, a prepared statement, `LAST_INSERT_ID()`.",
        "From the statement that the message names on, edit the file so that it makes again what it needs, and run again. Or finish the \
         file by hand and say `limosa repair --mark-applied MIGRATION`; or undo it by hand and say \
         `limosa repair --mark-not-applied MIGRATION`.",
    ),
    (
        "LIM-R040",
        "A change says what must hold right before it (`--precondition-sql-check` and its like in Liquibase's files), and that does not hold \
         in this database. Nothing of the change was run, nothing after it was begun; what came before it stands.",
        "Bring the database to where it holds, and run again. Where the change is not needed here: `limosa repair --mark-applied MIGRATION`. \
         What is to happen instead of a stop, the line `--preconditions onFail:` says: `MARK_RAN`, `CONTINUE` or `WARN`.",
    ),
    (
        "LIM-R041",
        "The database refused the query of a precondition: it names what is not there, gives a type that is not read, or the right is missing. \
         Or the query gave something else than one value. Nothing of the change was run.",
        "Mend the query; it is sent as it stands, with the values of its placeholders. Where the type is not read, cast it to text in the \
         query. `--preconditions onError:` says what is to happen instead of a stop.",
    ),
    (
        "LIM-R042",
        "A statement found no room: the disk of the server is full (53100, 1021, 1114), it has no more memory or connections, or the disk of the \
         SQLite file is full or fails (SQLITE_FULL, SQLITE_IOERR). Its transaction is rolled back; what was committed before stands.",
        "Make room, then run the same command again: it goes on where it stopped. No file is to be changed.",
    ),
    (
        "LIM-R043",
        "The user of the address may not run a statement (42501, 1142 and their like), or the session may only read: a standby, a file without rights \
         to write, `default_transaction_read_only`. Its transaction is rolled back; what was committed before stands.",
        "Grant what the message names, or let the run take on the owner's role (`role`), or give the address of the primary; then run the same command again. \
         On PostgreSQL from 15 on nobody but the owner of a database may make tables in `public`: `grant create on schema public to NAME`.",
    ),
];
