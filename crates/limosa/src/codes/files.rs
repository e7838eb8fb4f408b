//! Codes of files: what causes them, and what to do.

use super::Cause;

pub(super) const TABLE: &[Cause] = &[
    (
        "LIM-F001",
        "A file ends in `.sql` and its name is none that limosa reads: no version in front, no title behind it, or a folder that sounds \
         like ways back and is not named `rollbacks`. The file is left out.",
        "Rename it: `001_create_jobs.sql` runs once, `R__views.sql` runs again when it changes, `001_create_jobs.rollback.sql` or \
         `rollbacks/001_rollback.sql` is a way back. SQL that is no migration belongs into another folder.",
    ),
    (
        "LIM-F002",
        "The name is that of a file of another tool, in a folder where most names are limosa's own: `V1__name.sql`, `U1__name.sql` and \
         `B1__name.sql` of Flyway, or `1_name.up.sql` and `1_name.down.sql`. The file is left out, because a folder has one format.",
        "Rename it as the message says, if limosa shall run it. A folder of Flyway's is read as one by itself, or with `--format flyway`. If the other tool has run it here already, rename it and count it as applied: \
         `limosa baseline --to VERSION`.",
    ),
    (
        "LIM-F003",
        "A comment at the head of the file looks like `-- Key: value`, and the key is nearly a header. It has no effect.",
        "A warning. Write the header as the message says; or, where it is prose, leave out the colon.",
    ),
    (
        "LIM-F004",
        "A header has a value that is not allowed: a time without its unit, an engine that does not exist, a word that is not in the list.",
        "The message and the page of the header say what is allowed. The file is not run before that. In a file of another tool, which \
         knows no headers, it may be prose: there it is a warning, and the line has no effect.",
    ),
    (
        "LIM-F005",
        "A header that takes one value stands twice at the head of a file, and it is not clear which one is meant.",
        "Keep one of the two lines.",
    ),
    (
        "LIM-F006",
        "The header `Migration` names another file: mostly because this file was copied from it.",
        "A warning. Write the file's own name, or take the header out; it decides nothing.",
    ),
    (
        "LIM-F007",
        "A header stands in a way back and decides nothing there, such as `Depends-on`.",
        "A warning. Write it at the head of the migration. The page of headers shows which ones hold for a way back.",
    ),
    (
        "LIM-F008",
        "A migration or a way back holds comments and blanks only.",
        "A warning. A migration is recorded as applied without doing anything; a rollback is no way back. `limosa new` makes such a file: \
         write its SQL before you run it.",
    ),
    (
        "LIM-F009",
        "A comment begins with `-- limosa:` and goes on with a word that is not known.",
        "The only one is `-- limosa:rollback`, alone on its line. It is an error, because a misspelt one would run the way back as part of \
         the migration.",
    ),
    (
        "LIM-F010",
        "A way back is written as comments below a `ROLLBACK` heading, and the lines that count as SQL (two or more blanks behind `--`) are \
         not whole statements.",
        "Put two or more blanks before each line of SQL and one before prose; or write it below `-- limosa:rollback`, without the comment \
         marks. A part of a way back is never run.",
    ),
    (
        "LIM-F011",
        "Below a heading that says ROLLBACK stands SQL that is no comment. It would run as part of the migration.",
        "If it is the way back, write `-- limosa:rollback` on the line before it. If it belongs to the migration, give the heading another \
         name.",
    ),
    (
        "LIM-F012",
        "The comments below a `ROLLBACK` heading look like SQL and have one blank behind `--`, so that they are prose. The migration has no \
         way back.",
        "A warning. Put two or more blanks before SQL, or write it below `-- limosa:rollback`.",
    ),
    (
        "LIM-F013",
        "`-- limosa:rollback` stands inside of a statement: a `;` or a bracket before it is missing.",
        "End the statement before it with `;`.",
    ),
    (
        "LIM-F014",
        "A way back is larger than 16 MiB. It is kept in the ledger, so that it can be taken when the file is gone.",
        "Let it copy from a table or call a function, instead of holding the data itself.",
    ),
    (
        "LIM-F015",
        "The statements of the file ask for transactions that cannot be had: a `BEGIN` without its end, a second `BEGIN` inside of the first, \
         a statement that cannot run in a transaction below `Transaction: always` or inside of the file's own `BEGIN` to `COMMIT`.",
        "The message says which statement and what to do about it. Most files need no `BEGIN` and `COMMIT`: limosa opens the transaction \
         itself. A statement such as `CREATE INDEX CONCURRENTLY` is best alone in a file. Files of another tool may \
         hold a `COMMIT` that ends the transaction around them, and where the tool holds that open itself (sqlx, Diesel, drizzle, goose and others, \
         not golang-migrate, Prisma, Liquibase and Sqitch) they may leave one open. \
         `adopt`, `baseline`, and what is applied already are not held up by it: such a file has run with another tool.",
    ),
    (
        "LIM-F016",
        "Two files have the same version (`001` and `1` are the same), or two repeatables the same name, or two callbacks the \
         same event and description. Mostly two branches took the next \
         number.",
        "Give one of them the next free version. If one of the two was applied already, rename the other one. Files for different engines \
         may share a version, if the header `Engines` says so in both. Callbacks of one event need different descriptions, as in \
         `beforeMigrate__roles.sql`.",
    ),
    (
        "LIM-F017",
        "A migration has two ways back: two of a section in the file, a file beside it, a file in `rollbacks/`, and comments.",
        "Keep one of the two that the message names.",
    ),
    (
        "LIM-F018",
        "A rollback file belongs to a migration that does not exist.",
        "A warning. Rename it after its migration, or remove it. If the migration was removed on purpose: what was recorded when it ran is \
         still in the ledger.",
    ),
    (
        "LIM-F019",
        "A rollback file has the version of a migration and another title. It is taken as its way back.",
        "A warning. Rename it as the message says, if it belongs there.",
    ),
    (
        "LIM-F020",
        "`-- Depends-on:` names a migration that no file defines. In a file of another tool, which knows no headers, it may be prose: \
         there it is a warning and has no effect.",
        "Correct the name, or add the file. A version (`001`), a name (`R:views`) or a file name (`001_create_jobs.sql`) is understood.",
    ),
    (
        "LIM-F021",
        "Migrations depend on each other in a circle, so that none of them can be the first.",
        "Take one of the dependencies out. The message shows the circle and the lines.",
    ),
    (
        "LIM-F022",
        "A versioned migration depends on a repeatable one. Repeatables run behind all versioned ones, so that this cannot be.",
        "Let the repeatable one depend on the versioned one; or make what is needed in a versioned migration.",
    ),
    (
        "LIM-F023",
        "`migration_config.yaml` is not YAML, not UTF-8, or uses a part of YAML that limosa does not read.",
        "The place is where the parser gave up. The file is a map with the keys `migrations` and `defaults`.",
    ),
    (
        "LIM-F024",
        "A key of `migration_config.yaml` is misspelt or unknown.",
        "The message names the nearest key, or all of them. The page of headers lists the keys.",
    ),
    (
        "LIM-F025",
        "A value of `migration_config.yaml` has the wrong form, or is one that the header does not allow.",
        "Write it as the message says; the page of headers lists what is allowed.",
    ),
    (
        "LIM-F026",
        "An entry of `migration_config.yaml` is for a migration that is not in the folder; or a file of Flyway's `.conf` stands beside no script of that name, \
         which is a warning.",
        "Correct the name, or remove the entry, or the file. The entries hold for the files beside the YAML file.",
    ),
    ("LIM-F027", "A key, or the entry of a migration, stands twice in `migration_config.yaml`.", "Join the two."),
    (
        "LIM-F028",
        "`migration_config.yaml` has a key that other tools read and limosa does not, such as one for a connection.",
        "A note; the key has no effect. Connections and environments stand in limosa.toml.",
    ),
    (
        "LIM-F029",
        "`migration_config.yaml` says that a migration can be taken back, and there is no way back.",
        "A warning. Write `NAME.rollback.sql` beside the migration or a `-- limosa:rollback` section, or take the promise out.",
    ),
    (
        "LIM-F030",
        "Flyway has more events than limosa: statements, undo, clean, info, validate, baseline, repair, connect. A script that is named after one of them is left out.",
        "Where it matters, write it as one of the events that the message lists, or run it beside limosa. Move the file elsewhere to silence the warning.",
    ),
    (
        "LIM-F031",
        "A file such as `V1__name.sql.conf` holds a setting that scripts do not have, a value that is none, a placeholder without a value, or an encoding that is not UTF-8.",
        "The place and the settings that exist are in the message. Convert scripts with `iconv -f ... -t UTF-8`.",
    ),
    (
        "LIM-F032",
        "A callback is a program, and would run as the user that runs limosa, with all its rights. Nobody said that it may.",
        "Read it. Then allow programs with `--allow-commands` or `allow_commands = true`, or move the file elsewhere. Nothing was run.",
    ),
    (
        "LIM-F033",
        "There are SQL files, and limosa reads the name of none of them (LIM-F001, LIM-F002): a folder of another tool, or not the folder \
         of migrations. Going on would mean to say that all is done.",
        "Name the right folder with `--dir` or `dir` in limosa.toml; or say how its files are named: `--format`, or `--pattern` for a naming \
         of your own; or rename the files as the warnings say. If another tool has run them \
         here already, count them as applied then: `limosa baseline --to VERSION`.",
    ),
    (
        "LIM-F034",
        "A folder of another tool holds migrations that are programs of that tool, in Rust or another language, or changes that a changelog of \
         Liquibase's models in XML, YAML or JSON. limosa runs SQL, and \
         programs of the application that it is part of; it cannot run these. What comes behind one may need it, so nothing behind it runs \
         before it.",
        "Run what stands before it with `--to`. Then do by hand what it does and say so, `limosa repair --mark-applied` with the version; or write it as SQL \
         into a file of the same version, which stands in its place. `limosa adopt` takes over one that ran with its tool. \
         `liquibase update-sql` shows the SQL of Liquibase's changes. Migrations in Rust can be registered in the application: `limosa::RustMigration`.",
    ),
    (
        "LIM-F035",
        "A file that another tool keeps beside its migrations cannot be read: `sqlx.toml`, `metadata.toml`, `migration_lock.toml`, \
         `meta/_journal.json`, `sqitch.plan`, `sqitch.conf` or a changelog is cut off, of another form, holds a value of another type, or \
         is missing where it says what there is; or there are two of it, and nobody says which is meant.",
        "The place is in the message. Take the file from version control, or let its tool write it again. Nothing was run.",
    ),
    (
        "LIM-F036",
        "The folder says which kind of database it is for (Prisma's `migration_lock.toml`, drizzle's `meta/_journal.json`, `sqitch.conf`), and the \
         database is of another kind.",
        "Name the database, or the folder, that is meant: `--database`, `--dir`. Nothing was run.",
    ),
    (
        "LIM-F037",
        "`meta/_journal.json`, `sqitch.plan` or a changelog lists a migration whose file is not there: it was removed by hand, or left behind \
         when branches were merged.",
        "Take the file from version control. Where the migration is gone for good, take its entry out of the list. Nothing was run.",
    ),
    (
        "LIM-F038",
        "The folder is one whose files say by comments what leads up and what leads back (goose, dbmate, sql-migrate), and this file has no \
         such comment. To run all of it could run the way back with the rest.",
        "Write the comment that the message names above the SQL that leads up. Where the file has the comments of another tool, the help names \
         that one: give its files a folder of their own. Where the folder is none of that tool's, and only one file \
         made it look so, say which format it has: `--format native`, or `format` in limosa.toml. Nothing was run.",
    ),
    (
        "LIM-F039",
        "A comment that tells sections apart is misspelt, stands twice, in the wrong order, or within a statement; or a statement that \
         `StatementBegin` opens is never closed. The tool whose comments these are refuses most of it, too.",
        "The place and the rule are in the message. The file is not run before that.",
    ),
    (
        "LIM-F040",
        "SQL stands above the first section of a file. The tool whose format it is refuses it or leaves it out, and so does limosa.",
        "Move it below the comment that begins the section up, where it shall run, or remove it. In files of sql-migrate it is a warning, \
         because that tool has left it out without a word.",
    ),
    (
        "LIM-F041",
        "A file is read as a whole, and holds the comment of another tool (goose, dbmate, sql-migrate, node-pg-migrate) below which the way \
         back stands: it would run right after the way up, and undo it.",
        "Say whose the folder is: `--format goose`, or `format` in limosa.toml. In a folder of limosa's own write `-- limosa:rollback` in \
         place of that comment. Nothing was run.",
    ),
    (
        "LIM-F042",
        "Between `-- +goose ENVSUB ON` and `OFF` stands a dollar sign that begins no variable (`$5`, `${NAME` without its end), which goose \
         refuses, too. Or, on PostgreSQL, a string between `$$` and `$$` begins or ends there: goose makes one dollar sign of the two, \
         and the server would see no such string.",
        "Write a dollar sign as `\\$`, and the ends of such a string as `\\$\\$`, or put their lines below `-- +goose ENVSUB OFF`. A variable \
         is `$NAME`, `${NAME}`, `${NAME:-default}` and what else the page on goose names. Nothing was run.",
    ),
    (
        "LIM-F043",
        "The folders hold several files of one format and several of another, such as `V1__a.sql` of Flyway beside files of goose. A folder \
         has one format, and to leave half of it out could be wrong either way. It is the same where few files of one format stand beside as many \
         that are of others by their names, and where the comments of two tools stand in as many files. One file that is astray is left out with a \
         warning instead, and so are a few beside twenty times as many of another tool's, which passes over them as well.",
        "Say which are meant: `--format NAME`, or `format` in limosa.toml; the others are left out then. Or give each its own folder. \
         On a terminal the command asks which format is meant, unless `--yes` or `--output json` is given, and goes on with the answer as if \
         it had been given by `--format`. Nothing was run.",
    ),
    (
        "LIM-F044",
        "The tool whose folder this is goes by the names of the files where limosa goes by their numbers, and the two differ: `10_a.sql` \
         comes before `2_b.sql` by name. Or folders of Prisma have dates of different widths.",
        "A warning. Where the order matters, give the numbers one width before the files run anywhere. Files that were applied already \
         are not run again.",
    ),
    (
        "LIM-F045",
        "A change asks its tool for something that limosa does otherwise, or not at all: in Liquibase, an expression as `endDelimiter`, a precondition or a value of the connection that is not known, or `failOnError:false` where some of the change may stand; or, in Sqitch, a change of another project.",
        "What would be wrong to run is an error, and only where it would run now: write it as the message says, or let the other tool run \
         this change and count it as applied (`limosa repair --mark-applied`). Everything else is a warning that says what happens instead.",
    ),
    (
        "LIM-F046",
        "A change of Sqitch's conflicts (`!name`) with one that its plan has before it: both cannot be there.",
        "Take one of the two out of the plan, or let a change between them undo the first. Nothing was run.",
    ),
    (
        "LIM-F050",
        "Two properties of Liquibase's have one name and different values, for changes of one file alone (`global:false`), or for those above \
         and below them. limosa gives a name one value for all changes.",
        "Give one of the two another name, or give the name one value for all in limosa.toml (`[placeholders]`), which goes before all \
         properties. An error only where the change would run now.",
    ),
    (
        "LIM-F051",
        "A change of Liquibase's holds `${name}`, and neither a property nor `[placeholders]` in limosa.toml gives it a value. Liquibase \
         leaves such text as it stands, and so does limosa.",
        "A warning. Where it should have a value that liquibase was given on its command line or by the environment, write it into \
         limosa.toml: `[placeholders]`.",
    ),
    (
        "LIM-F056",
        "A variable of goose's stands for a part of a value (`${NAME:0:4}`), and that value is a secret. limosa hides a secret wherever it \
         stands as a whole, in what the server says and in what is stored; of a part nobody could tell that it is one.",
        "Keep that part as a placeholder of its own that is a secret, and write its name in the file. Nothing was run.",
    ),
    (
        "LIM-F063",
        "A changelog of Liquibase's has `preConditions` that limosa does not know, or cannot ask: indexes, columns, sequences and the like,          a class, a word of `onFail` or `onError`, or whether a change has run that runs with each run. What it guards would run unguarded.",
        "Ask it with `sqlCheck`, which may hold any query and the text that it must give; or take it out, and nothing is asked. Nothing          was run.",
    ),
    (
        "LIM-F070",
        "`sqitch.conf` gives a variable of psql's (`[deploy \"variables\"]` and its like) another value below `revert` or `verify` than it has for \
         `deploy`. limosa has one value for each name: with the other one a way back would take back something else than was made.",
        "Give it the same value in all sections, or take another name in the scripts where another value is meant. Nothing was run.",
    ),
    (
        "LIM-F900",
        "A folder or a file of migrations does not exist or cannot be read.",
        "Check `dir` in limosa.toml or `--dir`; a path in limosa.toml counts from the folder of that file, one of a flag from the current \
         folder. In a container check that the files are in the image and that its user may read them.",
    ),
    (
        "LIM-F901",
        "The way back that was recorded in the ledger asks for transactions that cannot be had (see LIM-F015). It was recorded from a file of \
         that time.",
        "Write a correct way back beside the migration and take that: `limosa rollback --use-file`.",
    ),
];
