//! Codes of plans: what causes them, and what to do.

use super::Cause;

pub(super) const TABLE: &[Cause] = &[
    (
        "LIM-P001",
        "The file of an applied migration has another checksum than the one that was recorded. Its whole text counts, comments included, up \
         to the way back; line ends, blanks at its end, a byte-order mark and the way back do not.",
        "If the change was a mistake, put the file back as it was. If the database already has what the file says now, accept it: \
         `limosa repair --accept 7`. If the database needs the change, put the old file back and write a new migration. Nothing was run.",
    ),
    (
        "LIM-P002",
        "The ledger knows a migration that no file defines. The usual reason: the database was migrated from a newer release or another \
         branch, and this is the older one.",
        "After going back to an older release nothing is wrong, and `migrate` only tells you. `limosa validate` counts it as a finding: \
         put the file back, or, if the migration was taken back by hand, forget its row: `limosa repair --mark-not-applied 7`.",
    ),
    (
        "LIM-P003",
        "A run stopped in the middle of a migration whose statements commit one by one, and the file is not in the folder any more.",
        "Put the file back and run `limosa migrate`, which goes on from where it stopped. If it must not go on, finish it or undo it by \
         hand, then say which: `limosa repair --mark-applied 7` or `limosa repair --mark-not-applied 7`.",
    ),
    (
        "LIM-P004",
        "A rollback stopped in the middle, so that the migration is neither applied nor taken back. Nothing else runs before that is \
         settled. One whose first statement failed, and left nothing behind, is no such case: the migration stands as before.",
        "Finish it: `limosa rollback 7` with the version that the message names. It looks at the database first and goes on from where \
         it stopped. Where its recorded way back is what fails, correct it in the file and add `--use-file`. Where all of the migration \
         stands as before, or was made again by hand: `limosa repair --mark-applied 7`. `limosa repair` shows what is known.",
    ),
    (
        "LIM-P005",
        "A pending file has a lower version than one that is applied: mostly two branches that were merged in another order than their \
         numbers.",
        "If this database is the only one that misses it, or order does not matter, allow it: `--out-of-order warn` for one run, or \
         `out_of_order = \"warn\"` in limosa.toml. Otherwise give the file a newer version. Versions made of time stamps \
         (`limosa new NAME --timestamp`) or `-- Depends-on:` keep it from happening.",
    ),
    (
        "LIM-P006",
        "A migration stopped half-way, and its file was changed in the part that ran and is committed. limosa proves with a chain of \
         hashes that this part is the same before it goes on.",
        "Put the statements before the failed one back as they were; version control has them. From the failed statement on the file may \
         be edited. Then run again. Where the edited part has the same effect as what ran, `limosa repair --accept` with the version \
         counts it as what ran, and limosa goes on behind it.",
    ),
    (
        "LIM-P007",
        "A migration depends on another one that will not be there: it does not apply here (`Engines`, `Environments`, \
         `Requires-extension`), or it lies outside of what was asked for with `--to` or `--steps`.",
        "Give both files the same headers, take the dependency out, or ask for a run that holds both. `limosa status` shows why a file \
         does not apply.",
    ),
    (
        "LIM-P008",
        "The address leads to a connection pooler in transaction mode, such as PgBouncer, and a migration or a way back needs one \
         session from begin to end: it has statements that run outside of a transaction, or that leave something in the session which \
         others would get with it: a temporary table, an advisory lock, a prepared statement.",
        "Give limosa the address of the server itself: `direct_url` in limosa.toml, `LIMOSA_DIRECT_URL`, or `--direct-url`. See the how-to \
         about PgBouncer. If there is no pooler in fact, or one in session mode, say `pooled = \"no\"`. What is left in the session can end \
         with the transaction instead: `ON COMMIT DROP`, `pg_advisory_xact_lock`.",
    ),
    (
        "LIM-P009",
        "`--single-transaction` was asked for, and a file holds something that cannot run inside of a transaction, or has several \
         transactions of its own.",
        "Run without `--single-transaction`; or run up to the version before that file, then that file alone, then the rest.",
    ),
    (
        "LIM-P010",
        "`--single-transaction` was asked for, and a file uses an enum value that the same transaction added, which PostgreSQL does not \
         allow. So the transaction is committed before that file and another one begins.",
        "A notice; nothing is wrong. If the run fails behind that place, what came before it stands.",
    ),
    (
        "LIM-P011",
        "The migration that is to be taken back is not applied in this database.",
        "`limosa history` shows what is applied, `limosa status` what is not. Check that the address leads to the database that you mean: \
         `limosa config explain database`.",
    ),
    (
        "LIM-P012",
        "Another applied migration depends on the one that is to be taken back, by `-- Depends-on:`.",
        "Take both back: `limosa rollback --from 7`, with the version that the message names, takes it back and all that was applied \
         after it. Look first: add `--dry-run`.",
    ),
    (
        "LIM-P013",
        "`--use-file` was given, and neither a `-- limosa:rollback` section nor a rollback file exists for a migration.",
        "Write one: a section at the end of the migration, or `NAME.rollback.sql` beside it. It does not change the migration's checksum. \
         Without `--use-file` the way back that was recorded is taken, where there is one.",
    ),
    (
        "LIM-P014",
        "When the migration was applied there was no way back in the files, so that none was recorded.",
        "Write one beside the migration, look at it with `limosa rollback --use-file --dry-run`, then run it with `--use-file`. Or go \
         forward with a new migration, or restore a backup.",
    ),
    (
        "LIM-P015",
        "The way back drops or deletes something, and the environment is protected. No flag lifts that.",
        "Go forward: write a new migration that repairs what is wrong. If data may really be lost here, somebody who may must first take \
         `protected = true` out of limosa.toml.",
    ),
    (
        "LIM-P016",
        "The way back drops or deletes something, and nobody has said that this is meant. Consent names the database, so that a command \
         from the history of a shell cannot hit another one.",
        "Look at it with `--dry-run`. If it is what you want, name the database as the message shows: `--allow-data-loss NAME`. On a \
         terminal limosa asks for the name. `--yes` does not answer this.",
    ),
    (
        "LIM-P017",
        "A migration whose statements commit one by one was interrupted. `limosa validate` reports it.",
        "Run `limosa migrate`: it looks at the database and goes on from there. If it asks a question, see LIM-R021.",
    ),
    (
        "LIM-P018",
        "A migration has a statement that destroys data (`DROP TABLE`, `DROP COLUMN`, `TRUNCATE`, `DELETE` and their \
         like), and its author has not said that this is meant.",
        "A warning; it is run all the same. If it is meant, write `-- Data-loss: allowed` at the head of the file. If not, do not run it.",
    ),
    (
        "LIM-P019",
        "`--to` names a version that no file has and that was never applied: a slip of the hand, or a folder that is \
         not the one you mean. Taken as a mere limit it might run everything. `limosa baseline` only warns: a file up to that version that turns up later is run.",
        "Take a version that `limosa status` shows. Without `--to` all pending migrations run. `--to 0` runs nothing.",
    ),
    (
        "LIM-P020",
        "The database holds the ledger of another tool (Flyway's `flyway_schema_history`, golang-migrate's `schema_migrations` \
         and their like) with migrations in it, and limosa has none on record; or limosa has taken that over (`limosa adopt`), and the other tool has applied more since. What that tool \
         has applied would run a second time. Or the table of the tool is there and tells nothing: the user may not read it, or it has a form that \
         this limosa does not know (told where the files are of that tool, or a setting names the table). A ledger in another schema or under another \
         name stops the run, too, where the files may be of its tool; each is named with its table and the number of its migrations. So does the \
         one in the tool's usual place where its settings name another table, which is not there: they may be those of another environment.",
        "Where the files are the ones that the other tool ran: `limosa adopt` takes them over, each compared with what was applied where that \
         tool keeps checksums (`limosa baseline --to VERSION` counts them as applied up to a version without a look); \
         then `limosa migrate` runs what is new. Where they have nothing to do with it, as with two applications in one database: \
         `--ignore-other-ledgers`. Where the table may not be read: grant the rights that the message names. Once limosa has a migration on record it does not ask again, unless the database was taken over and the other tool goes on.",
    ),
    (
        "LIM-P021",
        "The migrations of this folder are known by their whole names, and several of them begin with the version that was asked for.",
        "Write the whole name, as the message and `limosa status` show it.",
    ),
    (
        "LIM-P022",
        "`limosa validate --against BRANCH`: since this branch left the other one, each has added a migration of the same version (or, where \
         names count, of the same name). Neither sees it alone; after the merge no database can run both.",
        "Give the one of this branch a newer version: `limosa new --renumber --against BRANCH`. It renames the file with its way back.",
    ),
    (
        "LIM-P023",
        "`limosa validate --against BRANCH`: a migration of this branch is older than the newest one of the other branch. Where that one has \
         run, this one comes late. golang-migrate then leaves it out without a word, goose refuses it without `-allow-missing`, Flyway without \
         `outOfOrder`; dbmate, sqlx and Diesel run it. limosa does what the setting `out_of_order` says, and refuses by default.",
        "Give it a newer version: `limosa new --renumber --against BRANCH`. Where order does not matter: `out_of_order = \"warn\"` or \
         `\"allow\"` in limosa.toml.",
    ),
    (
        "LIM-P024",
        "`limosa validate --against BRANCH`: the up part of a migration that the other branch has is another one here. Where it was applied it \
         does not run again, and limosa stops with LIM-P001. Line ends, blanks at the end and the way back do not count.",
        "Put the file back with the command that the message shows, and write a new migration for what is to change.",
    ),
    (
        "LIM-P025",
        "`limosa validate --against BRANCH`: a migration that the other branch has is not here any more. Databases that have applied it keep \
         its row, and new ones never get it.",
        "Put the file back with the command that the message shows. What it did is undone by a new migration.",
    ),
    (
        "LIM-P026",
        "`limosa validate --against BRANCH`: a migration that the other branch has is called otherwise here. With another version, or where names \
         count, it is another migration, and runs again where it ran. With the same version it is the same one for limosa, but not for tools that \
         compare descriptions.",
        "Give it its old name again.",
    ),
    (
        "LIM-P027",
        "`limosa validate --against BRANCH`: two files would have the same name but for capitals. On a file system that does not tell capitals \
         apart (macOS, Windows) a checkout holds only one of them.",
        "Rename the one of this branch.",
    ),
    (
        "LIM-P028",
        "A migration or a callback of another tool's folder uses the table in which that tool keeps its record: it grants on it, gives it a \
         trigger, reads it. The tool makes that table before its first migration; here it is missing, so limosa makes it, without rows and in \
         the form of the tool whose format the folder is read as, before the first migration or callback that uses it. `limosa rollback` and \
         callbacks that run after a failure (`afterMigrateError`) make none: a way back only takes away. One that needs the table stops, and its \
         error holds the statement that makes it, where the table has its usual name.",
        "Nothing has to be done. limosa writes no rows into it, so a script that reads the newest version from it reads nothing. \
         A database that the tool has migrated already is taken over with `limosa adopt`; there the table stands.",
    ),
    (
        "LIM-P029",
        "`limosa validate --against BRANCH`: the line of a change that both branches have says something else in Sqitch's plan here: what it \
         requires or conflicts with, when and by whom it was planned, or its note. Sqitch makes the id of a change of these and of the id of the \
         change before it, so that this one and all behind it get other ids. Where they were deployed, Sqitch finds none of them in the plan. \
         limosa knows changes by their names and runs none again.",
        "Give the line back what it says on the other branch. What is to change goes into a new change, or into `sqitch rework`.",
    ),
    (
        "LIM-P030",
        "A file of another tool's folder sets something for its session, such as `search_path`, and files behind it are pending, too. The tool \
         runs all of them in one session, so that those see the setting where they run together. limosa does the same, \
         but behind a pooler in transaction mode each transaction may get another connection, and each file the settings of a fresh session.",
        "A warning; nothing has to be done where the files behind it name what they mean. Else set `direct_url` to the server itself, or set it \
         in each file that relies on it: then it means the same whatever it runs with.",
    ),
    (
        "LIM-P031",
        "A file that could not run in one transaction stopped in its middle. Files before it in the same run had set something for the \
         session, such as `search_path`, which the tool of this folder lets reach those behind it: its first statements ran with that. A new run \
         has a new session, in which the rest would mean something else, for instance tables of another schema.",
        "Set it in the file before the statement that comes next: from there on it may be edited. Or finish the file by hand, and then \
         `limosa repair --mark-applied`.",
    ),
    (
        "LIM-P036",
        "A migration stopped half-way, and a placeholder in the part that ran and is committed has another value now, as where a variable \
         of the environment was not set the same. The rest would run with today's value: half of the file for one schema, tenant or owner, and half \
         for another. The message names the placeholders of that part, not their values. Secrets and built-in placeholders do not count.",
        "Give the placeholder the value that it had, and run again. Where the rest is meant to run with today's value, say so: `limosa repair \
         --accept` with the version. A way back is finished with the value that it had, or by hand and `limosa repair --mark-not-applied`.",
    ),
    (
        "LIM-P037",
        "A migration is to run, and its text is, word for word, that of another that was applied and of which there is no file any more: a file that was renamed or renumbered, or a folder that its tool has written anew, as `drizzle-kit up` does. To run them again would do it all twice.",
        "Where it is the same migration, say so: `limosa repair --mark-applied` with the new name. Where another tool has the new names on record, `limosa adopt` takes them from there. Where it is meant to run once more, change a word of it; a comment will do.",
    ),
    (
        "LIM-P038",
        "The first statement of a migration that runs in pieces failed or was cut off, so that it is on record as begun, with none of its statements done. \
         Most often what it would have made was there already, and its way back would take away what others made.",
        "Look whether anything of its first statement stands: a `DROP TABLE` of several tables, or a `CREATE INDEX CONCURRENTLY`, may leave something. Where \
         nothing does, `limosa repair --mark-not-applied` with its version forgets it, and a file that is not wanted any more can go. `limosa migrate` runs \
         it again. `limosa rollback --use-file` runs the way back of the file all the same.",
    ),
    (
        "LIM-P035",
        "SQLite ignores `PRAGMA foreign_keys` within a transaction, and the tool that the files of this folder were written for has one open \
         around each. Of the two readings limosa takes the one that keeps rows: where the tool has foreign keys off, an ON in the file has no \
         effect here either, so that no rows of children go with their parents; where it has them on, an OFF counts here, around limosa's \
         transaction, as in the making of a table anew, where the tool would delete those rows.",
        "Nothing, where that is meant. To run a file with what it says, leave the transaction out by the words that its tool has for that. To run one as \
         its tool did, take the PRAGMA out; a file that was applied already does not run again.",
    ),
    (
        "LIM-P039",
        "On SQLite a file that runs outside of transactions ends with `PRAGMA foreign_keys` other than the files behind it begin with. The tool that the \
         files were written for goes on so with those in the same run, and forgets it with the next run: what they do to the rows of children \
         depends on which files were pending together. Here each file begins alike.",
        "Nothing, where no file relies on it. One that does gets the PRAGMA at its head; where all do, there is the setting `sqlite.foreign_keys`.",
    ),
    (
        "LIM-P040",
        "The files are Flyway's, the database holds tables, views or sequences, and neither limosa nor Flyway has a migration on record in it. Flyway \
         refuses to migrate such a database (`Found non-empty schema(s) ... but no schema history table`); with `baselineOnMigrate` it counts it as \
         migrated up to `baselineVersion`. It may be another database than you mean, one whose record was lost, or one that was made without a tool.",
        "Look at the address first: `limosa status` names the database. Where its tables are what migrations have made: `limosa baseline --to VERSION` \
         counts all up to that version as applied; then `limosa migrate` runs what is new. Where they have nothing to do with these files, as with \
         two applications in one database: `--ignore-other-ledgers`, or `ignore_other_ledgers = true`. Once limosa has done anything there it does not ask again.",
    ),
    (
        "LIM-P045",
        "Sqitch's plan names its project (`%project`), and limosa keeps its record under that name where no setting says another one. Nothing is on \
         record under it, and changes of the same names are under `default`: limosa has applied them before it went by the plan, or they are those of \
         another project. They might run a second time.",
        "Where they are these very changes, keep the name: `project = \"default\"` in `limosa.toml`, `--project default` or `LIMOSA_PROJECT`. Where \
         they are another project's, say this one's: `project = \"NAME\"` with the name in the plan.",
    ),
];
