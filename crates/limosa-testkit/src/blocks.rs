//! A document of the book, as its blocks and what comments that a reader does not see say of them.
//!
//! Such a comment stands on a line of its own before the block: `<!-- file: migrations/001_users.sql -->`, `<!-- exit: 3 -->`,
//! `<!-- database: goose.sql -->`, `<!-- not run: needs a cluster -->`; and `<!-- new folder -->` between blocks.

/// A block of a document with what comments say of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Block {
    /// The line on which it begins, from 1.
    pub line: usize,
    /// Its language: `sh` for indented commands.
    pub language: String,
    /// Its text.
    pub text: String,
    /// The file that it is written into.
    pub file: Option<String>,
    /// The code that its last command ends with.
    pub exit: i32,
    /// The dump of what its database holds before its first command.
    pub database: Option<String>,
    /// Why it is not run.
    pub not_run: Option<String>,
}

/// What a document is made of, for a player.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A block of code.
    Block(Block),
    /// From here on everything is new.
    NewFolder,
    /// Words: a text block behind them belongs to nothing.
    Words,
}

/// Reads a document.
///
/// # Panics
/// A comment is not known, or belongs to no block.
pub fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    let mut next = Block::default();
    while let Some((number, line)) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let mut body = String::new();
            for (_, line) in lines.by_ref().take_while(|(_, line)| *line != "```") {
                body.push_str(line);
                body.push('\n');
            }
            let block =
                Block { line: number + 1, language: language.to_owned(), text: body, ..std::mem::take(&mut next) };
            parts.push(Part::Block(block));
        } else if line.starts_with("    ") && !parts_of_a_list(&parts, line) {
            let mut body = format!("{}\n", line.trim());
            while let Some((_, line)) = lines.next_if(|(_, line)| line.starts_with("    ")) {
                body.push_str(&format!("{}\n", line.trim()));
            }
            let is_shell = ["limosa ", "cargo ", "export "].iter().any(|word| body.starts_with(word));
            let language = if is_shell { "sh" } else { "" }.to_owned();
            parts.push(Part::Block(Block { line: number + 1, language, text: body, ..std::mem::take(&mut next) }));
        } else if let Some(said) = line.strip_prefix("<!-- ") {
            let said =
                said.strip_suffix(" -->").unwrap_or_else(|| panic!("line {}: a comment of one line", number + 1));
            match said.split_once(": ") {
                Some(("file", name)) => next.file = Some(name.to_owned()),
                Some(("exit", code)) => {
                    next.exit = code.parse().unwrap_or_else(|error| panic!("line {}: {error}", number + 1));
                }
                Some(("database", name)) => next.database = Some(name.to_owned()),
                Some(("not run", why)) => next.not_run = Some(why.to_owned()),
                None if said == "new folder" => parts.push(Part::NewFolder),
                _ => panic!("line {}: '{said}' is not known", number + 1),
            }
        } else if !line.trim().is_empty() {
            assert_eq!(next, Block::default(), "line {}: the comment before it belongs to no block", number + 1);
            parts.push(Part::Words);
        }
    }
    parts
}

/// What is indented within a list goes on with its item.
fn parts_of_a_list(parts: &[Part], line: &str) -> bool {
    let is_command = ["limosa ", "cargo ", "export "].iter().any(|word| line.trim_start().starts_with(word));
    matches!(parts.last(), Some(Part::Words)) && !is_command
}

/// What stands between backquotes in the sentences of a document.
pub fn spans(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut prose = String::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if !fenced && !line.starts_with("    ") {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    for paragraph in prose.split("\n\n") {
        found.extend(paragraph.split('`').skip(1).step_by(2).map(|span| span.replace('\n', " ")));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_with_what_is_said_of_them() {
        let text = "# A\n\n<!-- file: m/1.sql -->\n```sql\nselect 1;\n```\n\n<!-- exit: 3 -->\n<!-- database: a.sql -->\n```sh\nlimosa migrate\n```\n\
                    ```text\nno\n```\nwords\n\n    limosa status\n    limosa plan\n\n<!-- new folder -->\n";
        let block = |line, language: &str, text: &str| Block {
            line,
            language: language.into(),
            text: text.into(),
            ..Block::default()
        };
        let expected = [
            Part::Words,
            Part::Block(Block { file: Some("m/1.sql".to_owned()), ..block(4, "sql", "select 1;\n") }),
            Part::Block(Block { exit: 3, database: Some("a.sql".to_owned()), ..block(10, "sh", "limosa migrate\n") }),
            Part::Block(block(13, "text", "no\n")),
            Part::Words,
            Part::Block(block(18, "sh", "limosa status\nlimosa plan\n")),
            Part::NewFolder,
        ];
        assert_eq!(parts(text), expected);
        assert_eq!(spans("a `b c` d\n```\n`e`\n```\n`f\ng` h"), ["b c", "f g"]);
    }
}
