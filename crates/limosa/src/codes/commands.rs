//! Codes of commands: what causes them, and what to do.

use super::Cause;

pub(super) const TABLE: &[Cause] = &[
    (
        "LIM-U001",
        "`migrate --plan DIGEST` was given, and what would be run now is not what had that digest: a file, the ledger or a setting is \
         another one than when the plan was looked at.",
        "Nothing was run. Look at the new plan with `limosa plan`, and take its digest if it is what you want.",
    ),
    (
        "LIM-U002",
        "`--auto-rollback` takes back what a failed run did. It is for databases that can be lost, and this environment is protected.",
        "Run without it: a failed migration rolls back its own transaction anyway.",
    ),
    (
        "LIM-U003",
        "The command would destroy data (`clean`, `reset`, `restore`, `seed`, an executed dry run), and the environment has \
         `protected = true`; or the address leads to the database of an environment that has it. `clean` and `reset` are refused by `clean_disabled = true`, too.",
        "Check the address: you may be on the wrong database. No flag lifts this. If it is really meant, take the setting out of its file \
         first, in a change that others see.",
    ),
    (
        "LIM-U004",
        "The command destroys data and needs consent that names the database; none was given, or another name.",
        "Compare the name in the message with the database that you mean, then add the flag as it is shown there. `--yes` does not answer \
         this.",
    ),
    (
        "LIM-U005",
        "The run failed in the middle of a migration whose statements commit one by one. What stands of it cannot be taken back by itself, so \
         that `--auto-rollback` took nothing back at all.",
        "Correct the file from the failed statement on and run again. Or settle that migration with `limosa repair`, and take back the \
         others with `limosa rollback`.",
    ),
    (
        "LIM-U006",
        "`--auto-rollback` goes back to the last migration without a way back, and stops there.",
        "What came after it was taken back. To take back the rest, write ways back and run `limosa rollback --use-file`.",
    ),
    (
        "LIM-U007",
        "`--dry-run=execute` runs migrations and rolls them back. Callbacks may do what cannot be rolled back, so they are left out.",
        "Nothing is to be done. What they would do shows in `limosa plan`, under the steps.",
    ),
    (
        "LIM-U010",
        "The run went well, and the head of the audit log could not be written to `audit.anchor_file`: a full disk, a missing folder, a \
         missing right.",
        "A warning. Append the line that the message shows by hand, and mend the reason before the next run.",
    ),
    (
        "LIM-U011",
        "`audit verify` was asked to compare with an anchor file that does not exist or cannot be read.",
        "Check `audit.anchor_file`. The file is made by the first run that writes to the audit log with that setting.",
    ),
    (
        "LIM-U012",
        "A line of the anchor file is not signed with `audit.hmac_key`: somebody wrote it without the key, or the key was changed.",
        "If the key was changed, verify with the old one. Otherwise treat the file as tampered with, and compare with a copy of it.",
    ),
    (
        "LIM-U013",
        "The hashes of the audit log do not fit: a row was changed, removed or put in, or the log does not hold what the anchor file has seen. \
         The message says at which entry.",
        "Do not repair it by hand. Save the database as it is, and compare with a backup from before that entry. A restore by \
         `limosa restore` is recorded and is no finding; one by other means is.",
    ),
    (
        "LIM-U014",
        "`plan --sql` writes a script for running by hand, and a migration holds rows for COPY that are not UTF-8, which no script can hold.",
        "Let limosa run it, or convert the rows to UTF-8.",
    ),
    (
        "LIM-U015",
        "`limosa plan --sql` writes statements. A migration that is written in Rust has none until it runs.",
        "Let the application run it. `limosa migrate --to` brings the database up to the version before it.",
    ),
    (
        "LIM-U020",
        "`baseline --to VERSION` counts the migrations up to a version as applied, and no file has a version that low.",
        "Check the version and `--dir`; `limosa status` shows the files.",
    ),
    (
        "LIM-U021",
        "A baseline is for a database that limosa has not migrated, and the ledger already has a row of one of these migrations.",
        "`limosa history` shows what was done. To count single migrations as applied: `limosa repair --mark-applied MIGRATION`.",
    ),
    (
        "LIM-U030",
        "`repair --mark-applied` names a migration that is applied already.",
        "Nothing to do. `limosa status` shows the states.",
    ),
    (
        "LIM-U031",
        "`repair` names a migration that no file defines; its name or checksum cannot be recorded.",
        "Check the spelling and `--dir`. Repeatables are named `R:name`. `limosa status --output json` has all identities.",
    ),
    (
        "LIM-U032",
        "`repair` names a migration that the ledger does not know.",
        "Check the address and the project; `limosa status` shows what the ledger knows.",
    ),
    (
        "LIM-U033",
        "`repair --mark-done` or `--retry` names a migration, and no statement of it is in doubt: it was settled meanwhile, or never was. \
         Where a file stopped at a statement that failed, `--mark-done` may name that one.",
        "`limosa repair` without a flag shows what is in doubt. If nothing is, run `limosa migrate`.",
    ),
    (
        "LIM-U034",
        "`repair --mark-done` or `--retry` names another statement than the one that is in doubt.",
        "Name the one in the message. If you looked at an old message, look at the database again first.",
    ),
    (
        "LIM-U040",
        "`init` could not make the folder of migrations or write limosa.toml.",
        "The message holds what the file system said; check the rights on the folder.",
    ),
    (
        "LIM-U050",
        "`new` was given a title without a letter or digit, from which no file name can be made.",
        "Say what the migration does: `limosa new \"create users\"`.",
    ),
    (
        "LIM-U051",
        "`new` could not write the file, or there is one of that name. An existing file is never overwritten.",
        "Choose another title, or check the folder and its rights.",
    ),
    (
        "LIM-U052",
        "`limosa new --template` writes SQL for one table and its columns, and one of the options that name them is missing.",
        "The message names the option. `limosa help new` has an example for each template.",
    ),
    (
        "LIM-U053",
        "An option was given that the template does not use, so what it asks for would be missing from the files.",
        "Leave it out, or choose the template that uses it. No file was written.",
    ),
    (
        "LIM-U054",
        "A name, a type or an expression cannot be one: it is empty, holds a line break, or a type holds more than a type.",
        "Write it as in SQL, without quotes around names: limosa quotes them. No file was written.",
    ),
    (
        "LIM-U055",
        "A migration with the same words in its name, or a repeatable of that name, is there already.",
        "Give another title. Where that file never ran and is not wanted, remove it first.",
    ),
    (
        "LIM-U056",
        "`new --renumber` was given a file that is on the other branch, that the named database has applied, that has no version, or whose \
         new name would not come after the others.",
        "What others may have applied keeps its version: write a new migration instead. Where only your own database has applied it, take it \
         back there first (`limosa rollback`), or leave the database out: `--files-only`. Nothing was renamed.",
    ),
    (
        "LIM-U057",
        "No migration that was added on this branch has the version of another one on the other branch, or is older than the newest one \
         there.",
        "A notice; nothing is wrong. Where another branch was meant, name it: `limosa new --renumber --against origin/main`.",
    ),
    (
        "LIM-U058",
        "A migration got another version, and something still names the old one: an entry of migration_config.yaml, or a `Depends-on` by \
         a version that two migrations have by now.",
        "Look at the place that the message names and write the new version there, where this migration is meant. A file name in place of a \
         version is never in doubt.",
    ),
    (
        "LIM-U060",
        "The folder of `backup_dir` does not exist and cannot be made.",
        "Choose another one with `--backup-dir`, or check the rights. With `--backup` nothing was run.",
    ),
    (
        "LIM-U061",
        "`restore` takes the newest backup of the database from `backup_dir`, and there is none.",
        "Name a file: `limosa restore FILE`; or the folder: `--backup-dir DIR`.",
    ),
    (
        "LIM-U062",
        "The restore went well, and the record of it in the audit log could not be written.",
        "The database is as the backup has it. Note by hand that it was restored, by whom and when.",
    ),
    (
        "LIM-U070",
        "The ledger has rows of other projects in this database, and `clean` drops everything that stands in it.",
        "To take back this project alone: `limosa rollback --to 0`. Give each project a database or a schema of its own if it must be cleaned.",
    ),
    (
        "LIM-U071",
        "The folder of seeds has no file that is named like a migration.",
        "Name a seed like a migration, for example `001_people.sql`; or name another folder with `--dir-of-seeds`.",
    ),
    (
        "LIM-U072",
        "`reset` empties the database and migrates it; the second part failed. The first stands.",
        "Look at the error of the migrate, correct it, and run `limosa migrate`.",
    ),
    (
        "LIM-U073",
        "MariaDB and MySQL commit each DROP by itself, so that a clean which meets a lock or loses its connection has dropped a part. Tables \
         go first, and all at once: where one of them is locked, nothing is dropped, and this is not said.",
        "Mend the cause that the message names, and run `limosa clean` again to its end. Until then limosa runs nothing here (LIM-D011).",
    ),
    (
        "LIM-U080",
        "`doctor` found something that will keep migrations from running, such as a missing right.",
        "The message says what, and what to do about it. Run `limosa doctor` again afterwards.",
    ),
    (
        "LIM-U081",
        "`doctor` found something that keeps nothing from running and is worth knowing, such as long transactions that stand in the way.",
        "The message says what. It is no error: the exit code stays 0.",
    ),
    (
        "LIM-U090",
        "The command line is not understood: a command or a flag that does not exist, a value of the wrong form, flags that exclude each \
         other.",
        "`limosa help COMMAND` shows what there is, with examples.",
    ),
    (
        "LIM-U091",
        "A question must be answered, and there is no terminal: in CI, in a container, behind a pipe.",
        "Read the question. If the answer is yes, add `--yes` or `LIMOSA_YES=1`. Consent to lose data has a flag of its own and is not \
         given by `--yes`.",
    ),
    (
        "LIM-U092",
        "A question was answered with no, or consent was asked for and nothing was typed.",
        "Nothing was done. Run the command again if it was a mistake.",
    ),
    (
        "LIM-U093",
        "The operating system gave the process no thread or no signal handler: mostly a limit on processes or memory.",
        "Look at the limits: `ulimit -a`, and the memory and process limits of the container.",
    ),
    (
        "LIM-U094",
        "No flag, no variable and no configuration file names a database.",
        "Give it: `--database sqlite:app.db`, `LIMOSA_DATABASE`, or `database` in limosa.toml. If it stands in an environment, name that: \
         `--environment production`. `limosa config explain database` shows where limosa looked.",
    ),
    (
        "LIM-U095",
        "The answer could not be written to standard output: a full disk, or a program behind the pipe that ended.",
        "What the command did stands; look with `limosa status`.",
    ),
    ("LIM-U096", "`man --folder` could not write a page of the manual.", "Choose a folder that you may write to."),
    (
        "LIM-U097",
        "`config explain KEY` was asked for a setting, and none has that text in its name.",
        "`limosa config explain` lists all.",
    ),
    (
        "LIM-U098",
        "`--metrics-file` names a file whose folder is not there, may not be written, or is full; or a file that holds something else than limosa's metrics, which is left as it is. The run itself went on, and its exit code is not changed.",
        "Make the folder, and give the user that runs limosa the right to write into it. The file is written beside itself first and then renamed, so an old one stays whole.",
    ),
    (
        "LIM-U099",
        "The collector of OpenTelemetry that `OTEL_EXPORTER_OTLP_ENDPOINT` names did not take the spans in time. The run itself went on, and its exit code is not changed.",
        "Look whether the collector runs and speaks OTLP over HTTP. limosa waits for it two seconds at its end, not longer.",
    ),
    (
        "LIM-U100",
        "The builder of a migrator was given things that contradict each other: two sources of migrations or none, an address that names no engine, two migrations in Rust of one version, a single transaction with migrations in Rust.",
        "Each contradiction is named with what to leave out. It is a mistake of the program, and shows at its first start.",
    ),
    (
        "LIM-U101",
        "A database for a test, or for the proof of `limosa adopt --prove`, was made, and its address led to another one: a pooler can be told to lead each name to one and the same database. What runs in a scratch may destroy everything, so that nothing was run, and the scratch was taken away.",
        "Name the server itself, past the pooler: to `Scratch::on`, or by `--prove=ADDRESS`.",
    ),
    (
        "LIM-U102",
        "`Scratch::migrate_to` was given an empty text.",
        "Write a version as in the file name (`003`, `1.2`), or the name of a migration.",
    ),
    (
        "LIM-U103",
        "The file of a scratch database is held by another process, or its folder may not be written.",
        "Close what uses it, and take the file away by hand: it lies in the folder for temporary files, `limosa_scratch_...`.",
    ),
    (
        "LIM-U110",
        "`limosa adopt` found no table of a tool that it knows where a bare name is looked for (PostgreSQL: in the schemas of \
         `search_path`); or the table that `--ledger-table` or settings of the tool name is not there, has not the columns of that tool, or is of a newer version of the tool than limosa knows.",
        "Name the tool and its table: `limosa adopt --from TOOL --ledger-table [SCHEMA.]NAME`. A database that no tool has migrated \
         needs `limosa baseline --to VERSION`.",
    ),
    (
        "LIM-U111",
        "Tables of several tools hold migrations, as in a database that two applications share.",
        "Name the one that these files belong to; the message holds the flags for each.",
    ),
    (
        "LIM-U112",
        "The tables of Knex, Alembic and Django are recognised, but what they name are programs, which no SQL file tells.",
        "Write the schema as it stands into SQL files (a dump is a good first one), then count them as applied: \
         `limosa baseline --to VERSION`.",
    ),
    (
        "LIM-U113",
        "The other tool has a migration on record that failed or was never seen to end (golang-migrate: dirty; Flyway, Prisma, sqlx: a \
         failed row); or Liquibase's lock is held; or an index of PostgreSQL's is INVALID, as a `CREATE INDEX CONCURRENTLY` that failed leaves it. \
         Counting that as applied would hide it.",
        "The message says for each what is to be looked at and how that tool is told what stands. Then run `limosa adopt`, \
         `limosa adopt --undo` or `limosa baseline` again. A ledger of another application is passed over by `limosa baseline --ignore-other-ledgers`. limosa changes nothing of it by itself: only a person can tell how far those statements took effect.",
    ),
    (
        "LIM-U114",
        "The other tool has recorded a checksum of each file, and these files have another one. Line endings, a byte-order mark and what \
         that tool ignores itself are not counted as a change.",
        "Look in your version control what was changed. Put the files back as they were applied; or, where the database has what they say \
         today, take them over as they stand: `limosa adopt --accept-diverged`. The audit log keeps which they were.",
    ),
    (
        "LIM-U115",
        "The other tool's table names migrations, and none of them has a file in the folder that limosa reads; or it is of several projects \
         (Sqitch), and has none of the one that these files are of.",
        "Name the folder: `--dir`. Where its files are not recognised, name their format: `--format`.",
    ),
    (
        "LIM-U116",
        "`limosa adopt --undo` takes back what `limosa adopt` did, and nothing was taken over in this database for this project.",
        "`limosa history` shows what was done, `limosa status` whether it was adopted.",
    ),
    (
        "LIM-U117",
        "The database is to be given back to the tool that it came from, and that tool would not know of everything: its table has no place \
         for it (a repeatable migration in a tool without such), it keeps one row for all versions and an older one is not applied, \
         its rows hold what no file tells (Sqitch), or the table is gone. Or a migration is half done.",
        "Finish or take back what is half done. What the tool cannot be told of write into its table by its own means after it was \
         given back, else it would run it again: the message names each. To go on all the same: `limosa adopt --undo --yes`.",
    ),
    (
        "LIM-U118",
        "The user, or the role, that limosa works as may not read the table of the other tool.",
        "Grant the right that the message names, or work as a user that has it. `limosa adopt --undo` writes that table, too.",
    ),
    (
        "LIM-U119",
        "A database is taken over before limosa has migrated it. Here limosa has migrations on record already, applied or counted as such.",
        "`limosa history` shows them. To count single ones as applied: `limosa repair --mark-applied MIGRATION`. What limosa has begun, with nothing of \
         it recorded as committed, is no hindrance where the other tool has it on record; where it has not, look what stands, then: \
         `limosa repair --mark-not-applied MIGRATION`.",
    ),
    (
        "LIM-U120",
        "The other tool has applied migrations whose files are not here: they were put together into one, or are in another folder. Or they are \
         programs, in JavaScript, Go or Rust, which limosa leaves out.",
        "Where they are in another folder, name it: `--dir`. Where they are programs and an empty database needs what they do, write that as SQL \
         into a file of the same name. Else there is nothing to do: limosa keeps no row of them.",
    ),
    (
        "LIM-U121",
        "A file is older than the newest migration that the other tool has applied, and that tool has not applied it: it came late, from \
         another branch, and the tool passed it over. `limosa migrate` stops at it.",
        "Look whether the database has what it says. If so: `limosa repair --mark-applied MIGRATION`. If it should run: \
         `limosa migrate --out-of-order allow`.",
    ),
    (
        "LIM-U122",
        "`limosa adopt --prove` has run the migrations that the other tool has applied in an empty database, and what came of it is not \
         what stands here: somebody has changed the database by hand, or a file after it was applied. Rows, owners and rights are not \
         compared.",
        "Look at the differences: `limosa adopt --prove --dry-run --output json` has the statements of both sides. Bring the database or \
         the files in line; or, where the database is right as it stands: `--accept-diverged`.",
    ),
    (
        "LIM-U123",
        "`limosa adopt --prove` runs migrations a second time, in a database of their own on the same server. One of them may change more than \
         its database: users and roles, another database, settings of the server, a file. Or the address of `--prove` is not one of the same \
         kind of server.",
        "Name a server where that does no harm, such as a container: `limosa adopt --prove=postgres://localhost:5433/postgres`. Or take over \
         without a proof.",
    ),
    (
        "LIM-U130",
        "`validate --against` and `new --renumber` read branches with the program `git`, and it cannot be started: mostly it is not installed, \
         as in a small container image.",
        "Install git where this runs, or run it where git is. limosa needs git 2.30 or newer.",
    ),
    (
        "LIM-U131",
        "The migrations of a branch can be compared only inside of a checkout of git's. A folder that is named lies in none, in another one \
         than the others, or in a submodule, whose branches are its own.",
        "Run the command in the checkout that holds the migrations, or name its folder: `--dir`. In a container mount the whole checkout, with \
         its `.git`. For a submodule, go into its folder first.",
    ),
    (
        "LIM-U132",
        "The name given to `--against` is no branch, tag or commit that this clone has. In CI mostly only the branch under test was fetched. \
         Or there is no commit yet, or, without `--against`, no branch that this one follows.",
        "Fetch it: `git fetch origin main:refs/remotes/origin/main`, in GitHub Actions `fetch-depth: 0`. `git branch --all` shows what is \
         there.",
    ),
    (
        "LIM-U133",
        "The commit at which this branch left the other one is not here. A shallow clone holds only the newest commits; or the two histories \
         have nothing in common.",
        "Get the older commits: `git fetch --unshallow`, in GitHub Actions `fetch-depth: 0`, in GitLab `GIT_DEPTH: 0`. Otherwise name another \
         branch.",
    ),
    (
        "LIM-U134",
        "git ended with an error of its own, which the message repeats. Usual: the checkout belongs to another user (`dubious ownership`), \
         or the repository is damaged.",
        "Run the same git command in the checkout to see all of it. For another owner: `git config --global --add safe.directory FOLDER`.",
    ),
    (
        "LIM-U135",
        "A file or folder below the folder of migrations is a symbolic link or a submodule on the other branch. What it leads to is not \
         part of the commit, so that limosa leaves it out of the comparison. Or the plan of a Sqitch project does not lie in that folder, \
         or cannot be read on one of the sides.",
        "Keep the files themselves in the folder of migrations; name the folder that holds the plan of Sqitch.",
    ),
    (
        "LIM-U140",
        "The database was taken over with `limosa adopt --keep-foreign-ledger`, so each migration writes the table of the other tool, too. Now \
         that table is gone, a migration stands half done in it, or it does not have on record what limosa has applied: somebody \
         has taken it back with that tool, or has changed the table by hand.",
        "Where it was taken back there: `limosa repair --mark-not-applied MIGRATION`. Where only its row was lost: \
         `limosa repair --mark-applied MIGRATION` writes it again, after `limosa repair --mark-not-applied MIGRATION`. Where the other tool is no longer used: `limosa adopt`, without \
         the flag, keeps its table no longer.",
    ),
    (
        "LIM-U141",
        "`--keep-foreign-ledger` is for Flyway, golang-migrate, goose, dbmate and sqlx: the rows of the other tools hold what limosa does not \
         know, or nobody runs the tool beside limosa. Or the connection goes through a pooler in transaction mode, where the lock of \
         that tool cannot be held.",
        "Take the database over without the flag; `limosa adopt --undo` writes what was applied since, once. Through a pooler: name the way \
         past it, `direct_url`.",
    ),
    (
        "LIM-U142",
        "`limosa export` writes into a folder that it makes, or that is empty, and never over files.",
        "Name another folder: `--out FOLDER`.",
    ),
    (
        "LIM-U143",
        "A migration holds what the other tool cannot be given: data for COPY (only Flyway sends it), a secret of a placeholder where the \
         tool has no placeholders, a line that the tool takes for one of its markers, a text that is not UTF-8. Or a migration is half done.",
        "Change that in the migration's file (`limosa repair --accept MIGRATION` afterwards, where it is applied), or finish what is half done.",
    ),
    (
        "LIM-U144",
        "The other tool has no place for something: a repeatable migration, dependencies, environments, engines, time-outs, tags, callbacks, \
         the audit log, a recorded way back that is not the one of the file. All of it stands in `limosa-export.json`.",
        "Read the lines; do by other means what has to be kept: a view that was repeatable becomes a migration like any other.",
    ),
    (
        "LIM-U145",
        "`limosa export --write-ledger` makes the other tool's table, and there is one already; or another runner was here meanwhile.",
        "Where that tool has migrated the database before: `limosa adopt`, and `--undo` to give it back. Else compare it with `ledger.sql`.",
    ),
    (
        "LIM-U156",
        "With SQLite, Sqitch keeps its registry in a file of its own beside the database, `sqitch.db` for `app.db`. limosa attaches it for \
         reading where the folder holds Sqitch's plan. Here it cannot be opened, or is no database.",
        "Mend the file or its rights. A registry of another name is told by `registry` below `[engine \"sqlite\"]` in `sqitch.conf`.",
    ),
    (
        "LIM-U157",
        "Sqitch writes down a deploy that failed, and nothing that it has done with that change since. Where the script has no `BEGIN` and \
         `COMMIT` of its own, or the engine commits DDL by itself, statements ahead of the failure may have taken effect.",
        "Look what of it stands and take that away by hand; the change is pending, and the next `limosa migrate` runs its script.",
    ),
    (
        "LIM-U158",
        "`.env`, `dbconfig.yml`, `config/default.json`, `liquibase.properties` or `drizzle.config.ts` may name the table in which the tool of the \
         folder keeps its record. The file beside the folder cannot be read, or computes the name, and the usual name is taken.",
        "Mend the file at the line that is named, or its rights, or write `tool_table = \"NAME\"` into `limosa.toml`, which goes before it.",
    ),
    (
        "LIM-U159",
        "The names of the files fit two formats, nothing beside the folder says which is meant (`sqlx.toml`, `.sqlx`, `refinery.toml`), and the \
         database holds the ledger of a tool of the other one. What a `.down.sql`, `${name}` or a comment means may differ.",
        "Where the files are that tool's, say so: `--format NAME`, or better `format` in limosa.toml, so that they run as with it. Naming the \
         format that they are read as says that this one is meant. A warning in `status` and in a dry run; nothing is taken over, and nothing runs in a \
         database that was, until one of them is named.",
    ),
    (
        "LIM-U160",
        "When the database was taken over, the other tool had migrations on record that had no file (LIM-U120). Files of them have turned up \
         since, from another branch for instance. Each counts as applied, as it would have when the database was taken over, with a row of its \
         own from now on, and is not run a second time. Where that tool keeps checksums, the file was found to be the one that it applied; \
         where one row of golang-migrate's or a baseline of Flyway's stood for all versions up to its own, so do files between that one and the \
         newest that was there.",
        "A warning. Look whether the files are those that ran. One that only has the same version: `limosa repair --mark-not-applied MIGRATION`, \
         and give it a version of its own.",
    ),
    (
        "LIM-U161",
        "When the database was taken over, the other tool had a migration on record that had no file. A file for it has turned up since, and it \
         is not the one that was applied: the checksum that the tool keeps says so. Nothing is run.",
        "Put the file back as it was applied. Where the database has what it says today: `limosa repair --mark-applied MIGRATION`. Where it is \
         another migration that has the same version: give it a version of its own.",
    ),
    (
        "LIM-U162",
        "Another schema, or a table of another name, holds the ledger of another tool. It is known by its name, or by its columns where they are \
         exactly those that the tool makes and one of them is a word of its own (`version_id`, `installed_rank`, `dirty`): `version` alone, or `id` \
         with `applied_at`, proves nothing. It is told before limosa's first migration and by `limosa adopt`, and stops nobody: the files are \
         of another tool, it may not be read, or it is in another database of MariaDB's or MySQL's. One that the files may belong to stops \
         the first run (LIM-P020).",
        "Where these files are the ones that it has applied, take it over before the first `limosa migrate`: \
         `limosa adopt --from TOOL --ledger-table SCHEMA.TABLE`, as the message writes it. Where it is of another application there is nothing to do.",
    ),
    (
        "LIM-U163",
        "The table in which another tool keeps its record has columns besides those that the known versions of the tool make: a newer version \
         made them, or your team added them (`host`, `applied_by`). The columns that are known are read as ever. A column that limosa needs and that \
         is missing is no warning: nothing is taken over then (LIM-U110).",
        "A warning. Where your team has added the column, there is nothing to do. Where a newer version of the tool may have made it, look at \
         `limosa adopt --dry-run`: each migration must have the verdict that you expect from that tool.",
    ),
    (
        "LIM-U164",
        "`--keep-foreign-ledger` writes a row into the other tool's table for each migration. The table has a column that limosa does not know, \
         that may not be NULL, and that has no default: such a row is refused by the server, or on MySQL gets a value that nobody chose.",
        "Give the column a default, or let it be NULL (`ALTER TABLE ... ALTER COLUMN ... SET DEFAULT ...`). Or let limosa only read the table: \
         `limosa adopt` without `--keep-foreign-ledger`.",
    ),
    (
        "LIM-U165",
        "Flyway keeps its table in its default schema (`flyway.defaultSchema`, or the first of `flyway.schemas`), and puts that schema at the head of \
         the search path for each migration. The table that was taken over stands in another schema than the one in which this session finds \
         names without a schema: no `flyway.conf` or `flyway.toml` that says so is read here. `CREATE TABLE orders` would make it there. On MariaDB and \
         MySQL it is another database.",
        "Let the session begin where Flyway's did: a search path in the address (`?options=-csearch_path%3DSCHEMA,public`), or of the role \
         (`ALTER ROLE ... SET search_path = ...`); MariaDB and MySQL: the name of that database in the address. Where every file names its schemas, the \
         setting changes nothing but this warning.",
    ),
    (
        "LIM-U166",
        "The ledger of golang-migrate is kept, and has one row: the newest version. A file of a lower version that turns up later is never run by \
         golang-migrate, which says nothing of it. limosa runs it here, where `out_of_order` lets it.",
        "A warning. Where golang-migrate itself still migrates a database from the same files, give the file a newer version: it runs everywhere \
         then. Where limosa migrates all of them, there is nothing to do.",
    ),
    (
        "LIM-U167",
        "`limosa repair --accept` was to count the first statements of a file that stopped half-way as those that ran, as the file stands now. \
         More statements ran and are committed than it has now.",
        "Put them back, so that limosa can go on behind them. Or do by hand what is left of it, and then `limosa repair --mark-applied`.",
    ),
    (
        "LIM-U170",
        "`defaultSchemaName` in `liquibase.properties`, or `LIQUIBASE_COMMAND_DEFAULT_SCHEMA_NAME`, names a schema that this database does not have; or, in a \
         folder of Flyway's, `flyway.defaultSchema`, the first of `flyway.schemas` or the search path of the address does, and `createSchemas` is off. \
         The tool begins each change there, and finds no place for its own table. Here `CREATE TABLE orders` would make it in another schema.",
        "Make the schema, or correct the name. Capitals make no difference in it with Liquibase, which writes it without quotes; with Flyway they do. \
         limosa makes it where `create_schemas` names it, which Flyway's `createSchemas=true` comes to.",
    ),
    (
        "LIM-U175",
        "`dbconfig.yml` has sections of several environments, which name different tables. No environment of limosa's has the name of a section \
         (`--env`), and no `datasource` names the database that limosa works with, or it does so by a variable. The section `development` counts, as \
         with sql-migrate itself.",
        "A warning. Name the section: `--env NAME`; or the table: `tool_table = \"NAME\"` in limosa.toml. A table of the tool with migrations in it \
         stops the first `limosa migrate` all the same where the one that is named is missing.",
    ),
    (
        "LIM-U180",
        "limosa took over the migrations of this project from a table of another tool, and by its settings, or by the search path of the address, that \
         tool keeps its record of these files in another table of the same database: two services, or two tenants with a schema each. limosa \
         keeps all in one ledger, where each such set of migrations is a project. Without one of its own, what the other one has applied would count \
         as applied here, or the other way round.",
        "Name the project: `--project NAME`, or `project = \"NAME\"` in limosa.toml, for each but the first. Then `limosa adopt` takes this table over, too. Where both \
         tables tell of the same migrations, name the one that was taken over: `tool_table` in limosa.toml.",
    ),
    (
        "LIM-U181",
        "`defaultSchemaName` or `defaultCatalogName` in `liquibase.properties`, or in a variable of Liquibase's, names a database of MySQL's or MariaDB's, \
         and the address names another one. Liquibase makes its tables in the one that its settings name; here they would be made in the other.",
        "Name that database in the address, `--database mysql://user@host/NAME`, or take the setting out where it does not count any more.",
    ),
];
