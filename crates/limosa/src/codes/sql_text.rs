//! Codes of SQL text: what causes them, and what to do.

use super::Cause;

pub(super) const TABLE: &[Cause] = &[
    (
        "LIM-S001",
        "A byte in the file is not UTF-8: it was saved in Latin-1 or Windows-1252, or holds binary data, as a dump of MySQL without \
         `--hex-blob` does.",
        "Convert it: `iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW`. The place is that of the first such byte.",
    ),
    (
        "LIM-S002",
        "The file is UTF-16 or UTF-32, as some editors on Windows save it.",
        "Save it as UTF-8, or `iconv -f UTF-16 -t UTF-8 FILE > NEW`.",
    ),
    (
        "LIM-S003",
        "A byte 0x00 stands in the file. No server takes it, and a file full of them is no text.",
        "Remove it, or save the file as UTF-8. A file of zeros is mostly one that was cut off when a disk was full: take it from version \
         control.",
    ),
    (
        "LIM-S004",
        "The first bytes say that the file is something else: an archive, a compressed file, a dump in PostgreSQL's custom format, a \
         SQLite database.",
        "Unpack it, or bring it into the form of a script as the message says. To bring back a backup use `limosa restore`.",
    ),
    (
        "LIM-S005",
        "A string constant begins and does not end before the end of the file. The place is where it begins; what is missing may stand \
         before that, for one quote too few turns text and SQL around from there on.",
        "Close it, or find the quote before it that is one too many. A quote inside of a string is written twice: `'it''s'`.",
    ),
    (
        "LIM-S006",
        "An identifier in quotes (`\"...\"`, on SQLite also `[...]`, on MySQL and SQLite also backquotes) does not end before the end of \
         the file.",
        "Close it with the same kind of quote.",
    ),
    (
        "LIM-S007",
        "A string that `$$` or `$name$` opens does not end: the body of a function, mostly. The two marks must have the same letters.",
        "Close it with the mark that the message shows.",
    ),
    (
        "LIM-S008",
        "A comment that `/*` opens does not end. PostgreSQL nests comments: each `/*` inside needs its own `*/`.",
        "Close it with `*/`, or comment lines out with `--`.",
    ),
    (
        "LIM-S009",
        "A parenthesis is open at the end of the file, so that the `;` inside of it ended no statement.",
        "Close it with `)` before the `;` of its statement.",
    ),
    (
        "LIM-S010",
        "The body of a routine (`BEGIN ATOMIC`), of a trigger on SQLite or of a stored program on MySQL has no `END`.",
        "End each statement of the body with `;` and the body with `END;`. The place is where the block begins.",
    ),
    (
        "LIM-S011",
        "The rows behind `COPY ... FROM stdin;` run to the end of the file: the line that ends them is missing.",
        "Write a line that holds only `\\.` behind the last row.",
    ),
    (
        "LIM-S012",
        "The rows of `COPY ... FROM stdin;` begin on the next line, and something stands behind the `;` on this one.",
        "Put it behind the line `\\.` that ends the rows.",
    ),
    (
        "LIM-S013",
        "A backslash command of psql, such as `\\i`, `\\set` or `\\c`. No server knows it; limosa sends what stands in the file and runs no \
         client. `\\restrict` and `\\unrestrict`, which pg_dump writes, are ignored; in scripts of Sqitch, which are psql's, so are commands that change \
         nothing (`\\set ON_ERROR_STOP on`, `\\set QUIET`, `\\echo`, `\\timing`, `\\pset` and their like).",
        "The message says what to write instead: a file of its own in place of `\\i`, a placeholder in place of `\\set`, a setting of \
         limosa in place of `\\c`.",
    ),
    (
        "LIM-S014",
        "A backslash stands outside of strings and comments, or a line `\\.` without a COPY before it.",
        "Remove it, or put the text into quotes. Behind a COPY whose `;` is missing, write the `;`.",
    ),
    (
        "LIM-S015",
        "A dot-command of the sqlite3 shell, such as `.mode` or `.read`. It is no SQL.",
        "Remove it; the message says what to write instead.",
    ),
    (
        "LIM-S016",
        "One statement is larger than any server accepts. Often a quote or a `;` is missing, so that the rest of the file belongs to it.",
        "Divide it into several statements; on PostgreSQL load rows with `COPY ... FROM stdin`, whose rows may be of any number.",
    ),
    (
        "LIM-S017",
        "A byte-order mark (U+FEFF) stands inside of the file. It comes from joining files that each began with one.",
        "Remove it; most editors show it as a strange blank. At the beginning of a file it does no harm.",
    ),
    (
        "LIM-S018",
        "A line ends with a lone carriage return. SQLite and MySQL do not see a line end there, so that a `--` comment before it would \
         swallow the SQL behind it.",
        "Save the file with LF or CR LF as line ends.",
    ),
    (
        "LIM-S019",
        "A command of the mysql client, such as `source`, `\\G` or `system`; or a `USE` that no `;` ends. No server knows such a command.",
        "Remove it; the message says what to write instead. `DELIMITER` is understood.",
    ),
    (
        "LIM-S020",
        "A `DELIMITER` line has no delimiter or one that cannot work, or stands inside of a statement that is not ended.",
        "Write it alone on its line: `DELIMITER //`. End the statement before it with the delimiter that holds there.",
    ),
    (
        "LIM-S021",
        "Where a package or a program in Oracle's language ends can be seen only by a `DELIMITER`.",
        "Write a line `DELIMITER //` before it, `//` behind it, and a line `DELIMITER ;` after that.",
    ),
    (
        "LIM-S022",
        "`LOAD DATA LOCAL` asks the client for a file of its machine. limosa gives none: a migration should do the same wherever it runs, \
         and a server could ask for any file.",
        "Put the rows into `INSERT` statements, or load them with the client, apart from migrations.",
    ),
    (
        "LIM-S023",
        "One `SET` gives a value to `autocommit` and to other things. limosa decides about transactions and sends no `autocommit`, so that \
         this `SET` can neither be sent nor be left out.",
        "Give the other assignments a `SET` of their own. A `SET autocommit = ...` alone is accepted and not sent.",
    ),
];
