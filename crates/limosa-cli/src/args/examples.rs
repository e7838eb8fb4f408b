//! Two or three examples for each command. A test parses them.

/// Command and examples.
const EXAMPLES: [(&str, &str); 25] = [
    (
        "init",
        "limosa init\nlimosa init --dir db/migrations\nlimosa init --print-ledger-sql --engine postgres > ledger.sql",
    ),
    (
        "new",
        "limosa new \"create users\"\nlimosa new \"add index\" --timestamp\nlimosa new views --repeatable\n\
         limosa new \"add phone\" --template add-column --table users --column phone --type \"VARCHAR(20)\" --value \"'unknown'\"\n\
         limosa new \"remove fax\" --template remove-column --table users --column fax --type \"VARCHAR(20)\"\n\
         limosa new \"rename posts\" --template rename-table --table posts --to articles --columns id,title,content\n\
         limosa new --renumber --against origin/main --dry-run",
    ),
    ("plan", "limosa plan\nlimosa plan --to 12 --output json\nlimosa plan --sql > by_hand.sql"),
    (
        "migrate",
        "limosa migrate --database sqlite:app.db\nlimosa migrate --environment production --backup\n\
         limosa migrate --dry-run",
    ),
    (
        "rollback",
        "limosa rollback\nlimosa rollback --to 12 --dry-run\nlimosa rollback --steps 2 --allow-data-loss app.db",
    ),
    ("status", "limosa status\nlimosa status --fail-on-pending\nlimosa status --environment production --output json"),
    ("history", "limosa history\nlimosa history --limit 100 --output json"),
    (
        "validate",
        "limosa validate\nlimosa validate --environment production --output json\nlimosa validate --files-only\n\
         limosa validate --against origin/main --files-only",
    ),
    ("baseline", "limosa baseline --to 12 --dry-run\nlimosa baseline --to 12"),
    (
        "adopt",
        "limosa adopt --dry-run\nlimosa adopt --from flyway --ledger-table app.schema_version\nlimosa adopt --yes\n\
         limosa adopt --keep-foreign-ledger\n\
         limosa adopt --undo",
    ),
    (
        "export",
        "limosa export --to goose --dry-run\nlimosa export --to flyway --out ../flyway/sql\nlimosa export --to sqlx --write-ledger --yes",
    ),
    ("repair", "limosa repair\nlimosa repair --mark-done 12:3\nlimosa repair --accept 7"),
    ("backup", "limosa backup\nlimosa backup --backup-dir /var/backups/app"),
    (
        "restore",
        "limosa restore --allow-data-loss app.db\n\
         limosa restore backups/app-20240131120000.db --allow-data-loss app.db",
    ),
    ("clean", "limosa clean --dry-run\nlimosa clean --allow-data-loss app.db"),
    ("reset", "limosa reset --allow-data-loss app.db\nlimosa reset --environment preview --allow-data-loss preview"),
    ("seed", "limosa seed\nlimosa seed --dir-of-seeds demo --again"),
    ("ready", "limosa ready --at-least 12\nlimosa ready --at-least 12 --wait-for-database 60s"),
    ("health", "limosa health\nlimosa health --output text"),
    ("doctor", "limosa doctor\nlimosa doctor --environment production --output json"),
    ("audit", "limosa audit verify\nlimosa audit verify --output json"),
    ("config", "limosa config explain\nlimosa config explain database --environment production"),
    ("explain", "limosa explain LIM-R001\nlimosa explain P005\nlimosa explain"),
    ("completion", "limosa completion bash > /etc/bash_completion.d/limosa\nlimosa completion zsh > ~/.zfunc/_limosa"),
    ("man", "limosa man > limosa.1\nlimosa man migrate > limosa-migrate.1\nlimosa man --folder /usr/share/man/man1"),
];

/// Puts the examples below the help of their commands.
pub(super) fn add(command: clap::Command) -> clap::Command {
    command.mut_subcommands(|command| {
        let Some((_, examples)) = EXAMPLES.iter().find(|(name, _)| *name == command.get_name()) else { return command };
        let lines: Vec<String> = examples.lines().map(|line| format!("  {}", line.trim_start())).collect();
        command.after_help(format!("Examples:\n{}", lines.join("\n")))
    })
}
