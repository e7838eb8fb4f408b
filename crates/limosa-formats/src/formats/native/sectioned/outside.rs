//! Statements that run outside of transactions: what the tool sends as one text is one transaction on PostgreSQL all the same, where it
//! holds several statements, and stays one.

use limosa_core::{Outliner, TransactionWish};
use limosa_sql::Piece;

/// Hands such statements to an outline. The first of a text waits for the second, which decides about it.
#[derive(Default)]
pub(crate) struct Outside {
    held: Option<(u64, Piece)>,
    /// The text whose statements stay together.
    together: Option<u64>,
}

impl Outside {
    /// Adds a statement; `text` says which of the texts that the tool sends as one it belongs to.
    pub(crate) fn add(&mut self, outliner: &mut Outliner, piece: &Piece, text: Option<u64>) {
        let is_second = text.is_some() && self.held.as_ref().map(|(held, _)| *held) == text;
        if is_second {
            outliner.begin_group();
            outliner.set_wish(TransactionWish::Auto);
            if let Some((_, held)) = self.held.take() {
                outliner.add(&held);
            }
            self.together = text;
        }
        if text.is_some() && self.together == text {
            outliner.add(piece);
            return;
        }
        self.flush(outliner);
        match text {
            Some(text) => self.held = Some((text, piece.clone())),
            None => {
                outliner.set_wish(TransactionWish::None);
                outliner.add(piece);
            }
        }
    }

    /// Adds what waits: nothing more of its text will come.
    pub(crate) fn flush(&mut self, outliner: &mut Outliner) {
        if self.together.take().is_some() {
            outliner.begin_group();
        }
        if let Some((_, held)) = self.held.take() {
            outliner.set_wish(TransactionWish::None);
            outliner.add(&held);
        }
    }
}
