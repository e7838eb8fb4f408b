//! Codes of settings: what causes them, and what to do.

use super::Cause;

pub(super) const TABLE: &[Cause] = &[
    (
        "LIM-C001",
        "limosa.toml, or the file that `--config` names, cannot be read as TOML. The place is where the parser gave up, which may be a \
         line behind the mistake.",
        "Texts stand in quotes (`database = \"sqlite:app.db\"`), tables in brackets (`[environments.production]`), true and false without \
         quotes.",
    ),
    (
        "LIM-C002",
        "A key of the configuration file is not one of limosa's: misspelt, or of another tool. It is an error, because a setting that is \
         silently ignored is worse.",
        "The message names the nearest key. All keys: `limosa config explain`, or the page of settings. Comment out what limosa shall not \
         read.",
    ),
    (
        "LIM-C003",
        "A key that is known stands where it has no meaning: one that holds for the whole process inside of an `[environments.NAME]` \
         table, or a variable in an env file that says which files to read.",
        "Move it to where the message says: to the top of the file, into the environment of the process, or to a flag.",
    ),
    (
        "LIM-C004",
        "A value has the wrong type or is none of the allowed ones: a time without its unit, a word that is not in the list, a number out \
         of range.",
        "The message says what is allowed. Times are written with a unit: `500ms`, `3s`, `5min`, `1h`, or `off`. \
         `limosa config explain KEY` shows where the value came from.",
    ),
    (
        "LIM-C005",
        "The file that `--config` or `LIMOSA_CONFIG` names does not exist or cannot be read; or a limosa.toml was found and cannot be read; \
         or the current folder itself is gone.",
        "Name a file that exists, or leave the flag out: then limosa takes the limosa.toml of the current folder, or of the nearest folder \
         above it within the repository.",
    ),
    (
        "LIM-C006",
        "`env_file` names a file that does not exist, cannot be read, or is not UTF-8.",
        "Make the file, or take `env_file` out. In a container it is mostly missing because the image does not hold it: give the variables \
         to the process instead.",
    ),
    (
        "LIM-C007",
        "A line of the env file is neither empty, nor a comment, nor `NAME=VALUE`; or a quote in it is not closed.",
        "Correct the line that is named. Nothing in the file is run by a shell: `$(...)` has no meaning there.",
    ),
    (
        "LIM-C008",
        "`--environment`, `LIMOSA_ENVIRONMENT` or the key `environment` names an environment that limosa.toml does not have.",
        "The message lists those that exist. Add a table `[environments.NAME]`, or correct the name.",
    ),
    (
        "LIM-C009",
        "An environment was named, and `LIMOSA_DATABASE` or `DATABASE_URL` leads to another database than that environment. limosa does not \
         guess which one you mean.",
        "Unset the variable, or leave the environment out, or say which database: `--database URL`, which wins over both. \
         `limosa config explain database` shows the candidates.",
    ),
    (
        "LIM-C010",
        "A value refers to a secret (`env:NAME`, `file:PATH`, `${env:NAME}` within an address), and there is nothing: the variable is not \
         set or empty, the file is missing or empty, or a brace is not closed.",
        "Set the variable or mount the file. In Kubernetes check that the secret has that key and that the container gets it.",
    ),
    (
        "LIM-C011",
        "The program of a `cmd:` reference could not be started, ended with an error, printed nothing, or took longer than 30 seconds. Its \
         messages are not shown, for they might hold the secret.",
        "Run the program by hand as the same user and look at what it says. An expired login of a secret store is the usual reason. The \
         words after `cmd:` are not read by a shell.",
    ),
    (
        "LIM-C012",
        "The file of a `file:` reference may be read by every user of the machine.",
        "A warning. `chmod 600 FILE`; in Kubernetes set `defaultMode: 0400` on the volume of the secret.",
    ),
    (
        "LIM-C013",
        "A placeholder was given without `=`, or its name has characters that a name cannot have.",
        "Write `--placeholder name=value`. Where the value holds blanks, put the whole into quotes for the shell.",
    ),
    (
        "LIM-C014",
        "A variable begins with `LIMOSA_`, is not one of limosa's, and is nearly one. It has no effect.",
        "A warning. Correct the name as the message says. Other variables with that beginning are left in peace.",
    ),
    (
        "LIM-C015",
        "`direct_url` stands in the configuration for one database, and the database itself came from somewhere else (a flag or a \
         variable). Both must mean the same database, so that `direct_url` is left out.",
        "A warning. Give both in the same place: `--database` with `--direct-url`, or `LIMOSA_DATABASE` with `LIMOSA_DIRECT_URL`.",
    ),
    (
        "LIM-C016",
        "`database` and `direct_url` name databases with different names. Some poolers rename databases, so that it may be right.",
        "A warning. Check that both lead to the same database: what is run past the pooler would go to the other one.",
    ),
    (
        "LIM-C017",
        "A name in `secret_placeholders` belongs to no placeholder. Where it is nearly one it is an error, because the value of the one that \
         was meant would be stored and shown.",
        "Correct the name, or give the placeholder.",
    ),
    (
        "LIM-C018",
        "The value of a placeholder from a flag or a variable begins like a reference (`env:`, `file:`, `cmd:`). References are followed in \
         the configuration file only, so that it is used as it stands.",
        "A note. If it is meant as a reference, write it into limosa.toml.",
    ),
    (
        "LIM-C019",
        "An env file was read that names the environment, and the table of that environment names another env file. One env file is read, \
         not two.",
        "Name the environment with `--environment` or `LIMOSA_ENVIRONMENT`; then its own env file is the one that is read.",
    ),
    (
        "LIM-C020",
        "A setting is given for a database whose engine knows no such thing, such as `role` or `pooled` on SQLite.",
        "A warning. Leave it out, or move it into the environment of the database that it is meant for.",
    ),
    (
        "LIM-C021",
        "`flyway.conf` or `flyway.toml` asks for what limosa cannot do: Java classes, other marks around placeholders, scripts that are not UTF-8, a database that it does not speak.",
        "The help names the way around it. What becomes of each setting: docs/coming-from/flyway-settings.md. A `limosa.toml` beside the file counts in its place.",
    ),
    (
        "LIM-C022",
        "A setting of Flyway's is read, and something else does what it asks for: a flag, a command, or nothing at all.",
        "Nothing is to be done now; the help names what replaces it. Take the setting out to silence the warning.",
    ),
    (
        "LIM-C023",
        "A `limosa.toml` stands beside `flyway.conf` or `flyway.toml`, and counts in its place: nothing that Flyway's file says holds for limosa.",
        "A note. Where settings were to be added to those of Flyway, write all of them into `limosa.toml`: what each is called is in \
         docs/coming-from/flyway-settings.md, and `limosa config explain` shows what holds now. Or take `limosa.toml` away, and give the \
         added ones as flags or variables.",
    ),
];
