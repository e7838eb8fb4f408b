//! What another tool has applied, against the files.

use std::collections::BTreeMap;

use limosa::report::{AdoptAnswer, AdoptLine, AdoptedLine, Proof, VerdictCounts};

use super::done::audit_head;
use super::style::{Tone, harmless};
use super::table::Columns;
use super::target;

/// Lines that are shown whatever their verdict; where there are more, those that need no look are only counted, and so many of each
/// other verdict are shown.
const MOST: usize = 40;

/// The table of verdicts, their counts, and what was done or what to do.
pub(crate) fn render(answer: &AdoptAnswer, width: Option<u16>) -> String {
    verdicts(answer, width) + &ending(answer)
}

/// The table of verdicts, and their counts.
pub(crate) fn verdicts(answer: &AdoptAnswer, width: Option<u16>) -> String {
    let mut text = format!("{}\n", target::words(&answer.target));
    if let Some(adopted) = &answer.adopted {
        text.push_str(&format!("{}: nothing to do\n", before(adopted)));
        return text;
    }
    text.push_str(&format!("{} has migrated it (table {})\n", answer.tool, harmless(&answer.table)));
    let folds = answer.migrations.len() > MOST;
    let mut of_verdict: BTreeMap<&str, usize> = BTreeMap::new();
    let is_shown = |line: &&AdoptLine| {
        let needs_no_look = line.note.is_none() && matches!(line.verdict, "verified" | "stamped" | "pending");
        if !folds || needs_no_look {
            return !folds;
        }
        let count = of_verdict.entry(line.verdict).or_default();
        *count += 1;
        *count <= MOST
    };
    let shown: Vec<&AdoptLine> = answer.migrations.iter().filter(is_shown).collect();
    if !shown.is_empty() {
        text.push('\n');
        text.push_str(&table(&shown, width));
    }
    text.push_str(&format!("\n{}\n", counted(&answer.counts)));
    if let Some(proof) = &answer.proof {
        text.push_str(&proven(proof));
    }
    if folds && shown.len() < answer.migrations.len() {
        text.push_str("not each of them is shown; all: --output json\n");
    }
    text
}

/// What a proof has found.
fn proven(proof: &Proof) -> String {
    if proof.differences.is_empty() {
        return format!("proven: {} make in an empty database what stands here\n", migrations(proof.migrations));
    }
    let mut text = format!("not proven, not alike are {}:\n", proof.differences.len());
    for line in proof.differences.iter().take(MOST) {
        let place = match (&line.here, &line.from_files) {
            (Some(_), None) => "here only",
            (None, Some(_)) => "of the files only",
            _ => "another one here",
        };
        text.push_str(&format!("  {}: {place}\n", harmless(&line.what)));
    }
    text
}

/// What was done, or what to do.
pub(crate) fn ending(answer: &AdoptAnswer) -> String {
    let mut text = match answer.outcome {
        "done" if answer.kept_no_longer && taken(&answer.counts) == 0 => String::new(),
        "done" => format!(
            "taken over from {}: {} {} as applied, nothing was run; to run what is new: limosa migrate\n",
            answer.tool,
            migrations(taken(&answer.counts)),
            if taken(&answer.counts) == 1 { "counts" } else { "count" }
        ),
        "would" => "nothing was written; to take it over: limosa adopt\n".to_owned(),
        "refused" => "nothing was written\n".to_owned(),
        _ => String::new(),
    };
    if answer.kept && matches!(answer.outcome, "done" | "would") {
        text.push_str(&format!(
            "with each migration the table {} is written, too, so that {} can go on as well\n",
            harmless(&answer.table),
            answer.tool
        ));
    }
    if answer.kept_no_longer {
        text.push_str(&kept_no_longer(&answer.table, answer.outcome));
    }
    if let Some(head) = &answer.audit_head {
        text.push_str(&audit_head(head));
    }
    text
}

/// That a table is kept no longer, where that is so, or would be.
fn kept_no_longer(table: &str, outcome: &str) -> String {
    let is = match outcome {
        "done" => "is",
        "would" => "would be",
        _ => return String::new(),
    };
    format!("the table {} {is} kept no longer\n", harmless(table))
}

/// The question before it is done.
pub(crate) fn question(answer: &AdoptAnswer) -> String {
    format!("count {} of {} as applied?", migrations(taken(&answer.counts)), answer.tool)
}

/// `adopted from goose (table goose_db_version) at ... by ..., 12 migrations`, and whether its table is kept.
pub(crate) fn before(adopted: &AdoptedLine) -> String {
    let kept = match adopted.kept {
        true => format!("; also kept for {} (table {})", harmless(&adopted.tool), harmless(&adopted.table)),
        false => String::new(),
    };
    format!(
        "adopted from {} (table {}) at {} by {}, {}{kept}",
        harmless(&adopted.tool),
        harmless(&adopted.table),
        adopted.at,
        harmless(&adopted.by),
        migrations(adopted.migrations)
    )
}

fn taken(counts: &VerdictCounts) -> usize {
    counts.verified + counts.stamped + counts.diverged
}

fn migrations(count: usize) -> String {
    if count == 1 { "1 migration".to_owned() } else { format!("{count} migrations") }
}

fn counted(counts: &VerdictCounts) -> String {
    let all = [
        (counts.verified, "verified"),
        (counts.stamped, "stamped"),
        (counts.diverged, "diverged"),
        (counts.half_done, "half done"),
        (counts.missing, "missing"),
        (counts.unknown, "unknown"),
        (counts.not_applicable, "not applicable"),
        (counts.pending, "pending"),
    ];
    let some: Vec<String> =
        all.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    if some.is_empty() { "no migrations".to_owned() } else { some.join(", ") }
}

fn table(lines: &[&AdoptLine], width: Option<u16>) -> String {
    let mut table = Columns::new(&["VERDICT", "VERSION", "NAME", "APPLIED AT", "NOTE"], width);
    for line in lines {
        table.row(vec![
            (line.verdict.replace('_', " "), tone(line.verdict)),
            (line.version.clone(), Tone::Plain),
            (line.name.clone(), Tone::Plain),
            (line.applied_at.clone().unwrap_or_default(), Tone::Plain),
            (line.note.clone().unwrap_or_default(), Tone::Plain),
        ]);
    }
    table.render()
}

fn tone(verdict: &str) -> Tone {
    match verdict {
        "verified" => Tone::Good,
        "pending" => Tone::Strong,
        "missing" | "unknown" => Tone::Doubtful,
        "diverged" | "half_done" => Tone::Bad,
        _ => Tone::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_kept_no_longer_where_that_is_done() {
        assert_eq!(kept_no_longer("t", "done"), "the table t is kept no longer\n");
        assert_eq!(kept_no_longer("t", "would"), "the table t would be kept no longer\n");
        assert_eq!(kept_no_longer("t", "refused"), "");
    }

    #[test]
    fn counts_are_told_where_there_are_any() {
        let counts = VerdictCounts { verified: 3, pending: 1, ..VerdictCounts::default() };
        assert_eq!(counted(&counts), "3 verified, 1 pending");
        assert_eq!(counted(&VerdictCounts::default()), "no migrations");
        assert_eq!((migrations(1), migrations(2)), ("1 migration".to_owned(), "2 migrations".to_owned()));
    }
}
