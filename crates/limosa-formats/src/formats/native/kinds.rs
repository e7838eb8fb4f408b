//! Most files of a folder are of a few kinds: one statement, no headers.

use std::sync::Arc;

use limosa_core::{Alike, Headers, Outline, Shape, Shared};

use super::facts::{Content, FileFacts};

/// Lets what is alike of files that are read one after the other be one in memory.
#[derive(Default)]
pub struct Kinds {
    headers: Alike<Headers>,
    outlines: Alike<Outline>,
    shapes: Alike<Shape>,
}

impl Kinds {
    /// Takes a file that was just read.
    pub fn share(&mut self, facts: &mut FileFacts) {
        self.headers.share(&mut facts.headers);
        let rollback = match &mut facts.content {
            Content::Change { script, rollback } => {
                self.share_outline(&mut script.outline);
                rollback
            }
            Content::WayBack(rollback) => rollback,
        };
        if let Some(rollback) = rollback.as_mut().and_then(Arc::get_mut) {
            self.share_outline(&mut rollback.outline);
        }
    }

    /// One that names things has its shape alone in common with others.
    fn share_outline(&mut self, outline: &mut Shared<Outline>) {
        outline.share_shape(&mut self.shapes);
        self.outlines.share(outline);
    }
}
