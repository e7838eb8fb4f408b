//! What an ALTER TABLE of MySQL changes, specification by specification (`alter_specification` in the manuals).

use crate::lexer::Kind;
use crate::words::Words;
use crate::{PartChange, PartState, QualifiedName, TablePart};
use PartState::{Appears, Changes, Disappears};

/// All specifications of one statement.
pub(super) struct Specifications {
    /// None where one is not understood.
    pub(super) parts: Option<Vec<PartChange>>,
    /// RENAME TO.
    pub(super) renamed: Option<QualifiedName>,
    /// What is destroyed: its kind and its name as written.
    pub(super) lost: Vec<(&'static str, String)>,
}

/// Reads them from `at` on.
pub(super) fn specifications(words: &mut Words<'_>, at: usize) -> Specifications {
    let mut reader = Reader { words, at, parts: Vec::new(), renamed: None, lost: Vec::new() };
    let mut understood = true;
    while reader.words.get(reader.at).is_some() {
        let begins = reader.at;
        understood &= reader.specification().is_some();
        // Definitions, positions and the like, up to the next comma.
        reader.pass_to_comma();
        if reader.words.symbol(reader.at, b',') {
            reader.at += 1;
        } else if reader.at == begins {
            // A parenthesis too many: nothing is understood, and the server refuses it.
            reader.at += 1;
        }
    }
    let Reader { parts, renamed, lost, .. } = reader;
    Specifications { parts: understood.then_some(parts), renamed, lost }
}

struct Reader<'w, 'a> {
    words: &'w mut Words<'a>,
    at: usize,
    parts: Vec<PartChange>,
    renamed: Option<QualifiedName>,
    lost: Vec<(&'static str, String)>,
}

/// Options that are words without value, and change nothing that shows, or nothing at all.
const SILENT: &[&[&str]] = &[
    &["FORCE"],
    &["ENABLE", "KEYS"],
    &["DISABLE", "KEYS"],
    &["WITH", "VALIDATION"],
    &["WITHOUT", "VALIDATION"],
    &["ANALYZE", "PARTITION"],
    &["CHECK", "PARTITION"],
    &["OPTIMIZE", "PARTITION"],
    &["REBUILD", "PARTITION"],
    &["REPAIR", "PARTITION"],
    &["ORDER", "BY"],
    &["SECONDARY_LOAD"],
    &["SECONDARY_UNLOAD"],
];

/// Names of options of more than one word.
const LONG_OPTIONS: &[&[&str]] = &[
    &["DEFAULT", "CHARACTER", "SET"],
    &["DEFAULT", "CHARSET"],
    &["DEFAULT", "COLLATE"],
    &["CHARACTER", "SET"],
    &["DATA", "DIRECTORY"],
    &["INDEX", "DIRECTORY"],
    &["CONVERT", "TO", "CHARACTER", "SET"],
    &["CONVERT", "TO", "CHARSET"],
];

/// Options that are known without `=` before their value.
const BARE_OPTIONS: &[&str] = &[
    "algorithm",
    "auto_increment",
    "avg_row_length",
    "charset",
    "checksum",
    "collate",
    "comment",
    "compression",
    "connection",
    "delay_key_write",
    "encryption",
    "engine",
    "insert_method",
    "key_block_size",
    "lock",
    "max_rows",
    "min_rows",
    "pack_keys",
    "page_checksum",
    "row_format",
    "stats_auto_recalc",
    "stats_persistent",
    "stats_sample_pages",
    "tablespace",
    "transactional",
    "type",
    "union",
];

impl Reader<'_, '_> {
    /// Adds a change. What is dropped and added in one statement is there before and after: it changes. Where values go with
    /// it, both are told, for doing it twice destroys what was written meanwhile.
    fn add(&mut self, part: TablePart, name: Option<String>, change: PartState, conditional: bool) {
        match self.opposite(part, name.as_deref(), change) {
            Some(index) if !part.holds_data() => self.parts[index].change = Changes,
            _ => self.parts.push(PartChange { part, name, change, conditional }),
        }
    }

    /// An earlier change of the same part that goes the other way.
    fn opposite(&self, part: TablePart, name: Option<&str>, change: PartState) -> Option<usize> {
        let other = match change {
            Appears => Disappears,
            Disappears => Appears,
            Changes => return None,
        };
        let same = |one: Option<&str>| match (one, name) {
            (Some(one), Some(name)) => one.eq_ignore_ascii_case(name),
            (None, None) => part == TablePart::PrimaryKey,
            _ => false,
        };
        self.parts.iter().position(|one| one.part == part && one.change == other && same(one.name.as_deref()))
    }

    /// The name at the current place, unquoted.
    fn name(&mut self) -> Option<String> {
        let name = self.words.name(self.at)?;
        self.at = name.next;
        Some(self.words.parts(&name).name)
    }

    fn took(&mut self, keys: &[&str]) -> bool {
        let next = self.words.skip(self.at, keys);
        std::mem::replace(&mut self.at, next) != next
    }

    fn if_exists(&mut self) -> bool {
        self.took(&["IF", "EXISTS"])
    }

    fn if_not_exists(&mut self) -> bool {
        self.took(&["IF", "NOT", "EXISTS"])
    }

    /// Up to a comma, or a parenthesis that closes one which was opened before.
    fn pass_to_comma(&mut self) {
        while let Some(token) = self.words.get(self.at) {
            match token.kind {
                Kind::Symbol(b',' | b')') => return,
                Kind::Symbol(b'(') => self.at = self.words.behind_parentheses(self.at),
                _ => self.at += 1,
            }
        }
    }

    /// One specification; None where it is not understood.
    fn specification(&mut self) -> Option<()> {
        for key in SILENT {
            if self.took(key) {
                // ORDER BY a, b and PARTITION p, q have lists of their own.
                while self.words.name(self.at).is_some() {
                    self.name();
                    while self.took(&["ASC"]) || self.took(&["DESC"]) {}
                    if self.words.symbol(self.at, b',') && self.list_goes_on() {
                        self.at += 1;
                    }
                }
                return Some(());
            }
        }
        match &*self.words.capitals(self.at) {
            "ADD" => {
                self.at += 1;
                self.addition()
            }
            "DROP" => {
                self.at += 1;
                self.removal()
            }
            "MODIFY" => {
                self.at += 1;
                self.took(&["COLUMN"]);
                let conditional = self.if_exists();
                let name = self.name()?;
                self.add(TablePart::Column, Some(name), Changes, conditional);
                Some(())
            }
            "CHANGE" => {
                self.at += 1;
                self.took(&["COLUMN"]);
                let conditional = self.if_exists();
                let (old, new) = (self.name()?, self.name()?);
                self.rename(TablePart::Column, old, new, conditional)
            }
            "RENAME" => {
                self.at += 1;
                self.renaming()
            }
            "ALTER" => {
                self.at += 1;
                self.change_of_part()
            }
            "REORGANIZE" if self.took(&["REORGANIZE", "PARTITION"]) => self.reorganisation(),
            "REMOVE" if self.took(&["REMOVE", "PARTITIONING"]) => {
                self.add(TablePart::Partitioning, None, Disappears, false);
                Some(())
            }
            "PARTITION" if self.took(&["PARTITION", "BY"]) => {
                self.add(TablePart::Partitioning, None, Changes, false);
                // It goes to the end of the statement.
                while self.words.get(self.at).is_some() {
                    self.at += 1;
                }
                Some(())
            }
            "TRUNCATE" if self.took(&["TRUNCATE", "PARTITION"]) => {
                self.lose_partitions("rows");
                None
            }
            "DISCARD" => {
                self.lost.push(("rows", String::new()));
                None
            }
            "COALESCE" | "EXCHANGE" | "IMPORT" | "UPGRADE" => None,
            _ => self.options(),
        }
    }

    /// `ORDER BY a, b`: whether what follows the comma is a name of the list and no specification.
    fn list_goes_on(&mut self) -> bool {
        let next = self.at + 1;
        match self.words.name(next) {
            Some(name) => {
                self.words.get(name.next).is_none()
                    || self.words.symbol(name.next, b',')
                    || self.words.is_any(name.next, &["ASC", "DESC"])
            }
            None => false,
        }
    }

    /// None where names go round in a circle: twice is not once then, and no name shows it.
    fn rename(&mut self, part: TablePart, old: String, new: String, conditional: bool) -> Option<()> {
        if old.eq_ignore_ascii_case(&new) {
            self.add(part, Some(new), Changes, conditional);
            return Some(());
        }
        let circle =
            self.opposite(part, Some(&old), Disappears).or_else(|| self.opposite(part, Some(&new), Appears)).is_some();
        self.add(part, Some(old), Disappears, conditional);
        self.add(part, Some(new), Appears, conditional);
        (!circle).then_some(())
    }

    /// Behind RENAME.
    fn renaming(&mut self) -> Option<()> {
        let part = match () {
            () if self.words.is_any(self.at, &["INDEX", "KEY"]) => TablePart::Index,
            () if self.words.is(self.at, "COLUMN") => TablePart::Column,
            () => {
                let _ = self.took(&["TO"]) || self.took(&["AS"]);
                if self.words.symbol(self.at, b'=') {
                    self.at += 1;
                }
                let name = self.words.name(self.at)?;
                self.at = name.next;
                self.renamed = Some(self.words.parts(&name));
                return Some(());
            }
        };
        self.at += 1;
        let conditional = self.if_exists();
        let old = self.name()?;
        if !self.took(&["TO"]) {
            return None;
        }
        let new = self.name()?;
        self.rename(part, old, new, conditional)
    }

    /// Behind ALTER: a column, an index or a constraint.
    fn change_of_part(&mut self) -> Option<()> {
        let part = match () {
            () if self.took(&["INDEX"]) || self.took(&["KEY"]) => TablePart::Index,
            () if self.took(&["CHECK"]) || self.took(&["CONSTRAINT"]) => TablePart::Constraint,
            () => {
                self.took(&["COLUMN"]);
                TablePart::Column
            }
        };
        let conditional = self.if_exists();
        let name = self.name()?;
        self.add(part, Some(name), Changes, conditional);
        Some(())
    }

    /// Behind ADD: columns, one after the other or in parentheses, indexes, constraints, partitions.
    fn addition(&mut self) -> Option<()> {
        if self.took(&["PARTITION"]) {
            return self.new_partitions();
        }
        if self.took(&["SYSTEM", "VERSIONING"]) {
            self.add(TablePart::Versioning, None, Appears, false);
            return Some(());
        }
        if self.took(&["PERIOD", "FOR"]) {
            let conditional = self.if_not_exists();
            let name = self.name()?;
            self.add(TablePart::Period, Some(name), Appears, conditional);
            return Some(());
        }
        self.took(&["COLUMN"]);
        let conditional = self.if_not_exists();
        if !self.words.symbol(self.at, b'(') {
            return self.definition(conditional);
        }
        self.at += 1;
        loop {
            self.definition(conditional)?;
            self.pass_to_comma();
            let goes_on = self.words.symbol(self.at, b',');
            self.at += 1;
            if !goes_on {
                return Some(());
            }
        }
    }

    /// A column, an index or a constraint as in CREATE TABLE.
    fn definition(&mut self, conditional: bool) -> Option<()> {
        let mut symbol = None;
        let mut conditional = conditional;
        if self.took(&["CONSTRAINT"]) {
            conditional |= self.if_not_exists();
            if !self.words.is_any(self.at, &["PRIMARY", "UNIQUE", "FOREIGN", "CHECK"]) {
                symbol = Some(self.name()?);
            }
        }
        if self.took(&["PRIMARY", "KEY"]) {
            conditional |= self.if_not_exists();
            self.add(TablePart::PrimaryKey, None, Appears, conditional);
            return Some(());
        }
        if self.took(&["FOREIGN", "KEY"]) {
            conditional |= self.if_not_exists();
            let written = if self.words.symbol(self.at, b'(') { None } else { self.name() };
            self.add(TablePart::Constraint, symbol.or(written), Appears, conditional);
            return Some(());
        }
        if self.took(&["CHECK"]) {
            self.add(TablePart::Constraint, symbol, Appears, conditional);
            return Some(());
        }
        if self.begins_index() {
            let _ = self.took(&["INDEX"]) || self.took(&["KEY"]);
            conditional |= self.if_not_exists();
            let unnamed = self.words.symbol(self.at, b'(') || self.words.is(self.at, "USING");
            let written = if unnamed { None } else { Some(self.name()?) };
            self.add(TablePart::Index, written.or(symbol), Appears, conditional);
            return Some(());
        }
        if symbol.is_some() {
            return None;
        }
        let name = self.name()?;
        self.add(TablePart::Column, Some(name), Appears, conditional);
        Some(())
    }

    /// Goes past UNIQUE, FULLTEXT and their like; true where an index is defined.
    fn begins_index(&mut self) -> bool {
        if self.words.is_any(self.at, &["INDEX", "KEY"]) {
            return true;
        }
        let vector = self.words.is(self.at, "VECTOR") && self.words.is_any(self.at + 1, &["INDEX", "KEY"]);
        let kind = self.words.is_any(self.at, &["UNIQUE", "FULLTEXT", "SPATIAL"]) || vector;
        self.at += usize::from(kind);
        kind
    }

    /// Behind ADD PARTITION: `(PARTITION p ..., PARTITION q ...)`, or a number of unnamed ones.
    fn new_partitions(&mut self) -> Option<()> {
        let conditional = self.if_not_exists();
        while self.words.is_any(self.at, &["NO_WRITE_TO_BINLOG", "LOCAL"]) {
            self.at += 1;
        }
        let names = self.partition_definitions()?;
        for name in names {
            self.add(TablePart::Partition, Some(name), Appears, conditional);
        }
        Some(())
    }

    fn partition_definitions(&mut self) -> Option<Vec<String>> {
        if !self.words.symbol(self.at, b'(') {
            return None;
        }
        self.at += 1;
        let mut names = Vec::new();
        loop {
            if !self.took(&["PARTITION"]) {
                return None;
            }
            names.push(self.name()?);
            self.pass_to_comma();
            let goes_on = self.words.symbol(self.at, b',');
            self.at += 1;
            if !goes_on {
                return Some(names);
            }
        }
    }

    /// Behind REORGANIZE PARTITION.
    fn reorganisation(&mut self) -> Option<()> {
        while self.words.is_any(self.at, &["NO_WRITE_TO_BINLOG", "LOCAL"]) {
            self.at += 1;
        }
        let mut old = Vec::new();
        while !self.words.is(self.at, "INTO") {
            old.push(self.name()?);
            if self.words.symbol(self.at, b',') {
                self.at += 1;
            }
        }
        self.at += 1;
        let new = self.partition_definitions()?;
        let within = |list: &[String], name: &str| list.iter().any(|other| other.eq_ignore_ascii_case(name));
        // Ranges may move between the same names, which does not show as a part that comes or goes.
        if old.iter().all(|name| within(&new, name)) && new.iter().all(|name| within(&old, name)) {
            return None;
        }
        for name in old.iter().filter(|name| !within(&new, name)) {
            self.add(TablePart::Partition, Some(name.clone()), Disappears, false);
        }
        for name in new.iter().filter(|name| !within(&old, name)) {
            self.add(TablePart::Partition, Some(name.clone()), Appears, false);
        }
        Some(())
    }

    /// Behind DROP.
    fn removal(&mut self) -> Option<()> {
        let named = [
            (&["FOREIGN", "KEY"][..], TablePart::Constraint),
            (&["CONSTRAINT"], TablePart::Constraint),
            (&["CHECK"], TablePart::Constraint),
            (&["INDEX"], TablePart::Index),
            (&["KEY"], TablePart::Index),
            (&["PERIOD", "FOR"], TablePart::Period),
        ];
        if self.took(&["PRIMARY", "KEY"]) {
            self.add(TablePart::PrimaryKey, None, Disappears, false);
            return Some(());
        }
        if self.took(&["SYSTEM", "VERSIONING"]) {
            self.lost.push(("history", String::new()));
            self.add(TablePart::Versioning, None, Disappears, false);
            return Some(());
        }
        if self.took(&["PARTITION"]) {
            let conditional = self.if_exists();
            for name in self.lose_partitions("partition") {
                self.add(TablePart::Partition, Some(name), Disappears, conditional);
            }
            return Some(());
        }
        for (key, part) in named {
            if self.took(key) {
                let conditional = self.if_exists();
                let name = self.name()?;
                self.add(part, Some(name), Disappears, conditional);
                return Some(());
            }
        }
        self.took(&["COLUMN"]);
        let conditional = self.if_exists();
        let written = self.words.name(self.at)?.written.to_owned();
        let name = self.name()?;
        self.lost.push(("column", written));
        self.add(TablePart::Column, Some(name), Disappears, conditional);
        Some(())
    }

    /// Names of partitions, which are lost.
    fn lose_partitions(&mut self, kind: &'static str) -> Vec<String> {
        let mut names = Vec::new();
        while let Some(written) = self.words.name(self.at).map(|name| name.written.to_owned()) {
            self.lost.push((kind, written));
            names.extend(self.name());
            if !self.words.symbol(self.at, b',') {
                break;
            }
            self.at += 1;
        }
        names
    }

    /// Options of the table, several of them without commas between. ALGORITHM, LOCK and the like say how, not what.
    fn options(&mut self) -> Option<()> {
        let mut any = false;
        while self.words.get(self.at).is_some() && !self.words.symbol(self.at, b',') {
            let long = LONG_OPTIONS.iter().find(|key| self.words.are(self.at, key));
            let (name, behind) = match long {
                Some(key) => (key.join(" ").to_ascii_lowercase(), self.at + key.len()),
                None => (self.words.capitals(self.at).to_ascii_lowercase(), self.at + 1),
            };
            let equals = self.words.symbol(behind, b'=');
            // `ENGINE InnoDB` needs no `=`; a word that is not known here might be anything.
            if name.is_empty() || !(equals || long.is_some() || BARE_OPTIONS.contains(&name.as_str())) {
                return None;
            }
            let value = if equals { behind + 1 } else { behind };
            self.words.get(value)?;
            self.at = if self.words.symbol(value, b'(') { self.words.behind_parentheses(value) } else { value + 1 };
            any = true;
            if name != "algorithm" && name != "lock" {
                self.add(TablePart::Option, Some(name), Changes, false);
            }
        }
        any.then_some(())
    }
}
