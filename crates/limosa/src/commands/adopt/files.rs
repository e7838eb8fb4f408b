//! Files against recorded checksums.

use std::collections::HashMap;

use limosa_core::{Agreement, Change, ForeignRow, ForeignTool};
use limosa_formats::{Layout, checksums};

use crate::Failure;
use crate::counted_values::{count_for, put_in};
use crate::opened::Opened;

/// Compares files with what another tool has recorded of them; keeps the first failure to read one.
pub(super) struct Checking<'o> {
    opened: &'o Opened<'o>,
    tool: ForeignTool,
    layout: &'o Layout,
    /// The file that was read last: it may hold several changes.
    last: Option<(String, Vec<u8>)>,
    /// The tool's own ids, by identities.
    identifiers: HashMap<&'o str, String>,
    failure: Option<Failure>,
}

impl<'o> Checking<'o> {
    pub(super) fn new(opened: &'o Opened<'o>, layout: &'o Layout, tool: ForeignTool) -> Checking<'o> {
        Checking { opened, tool, layout, last: None, identifiers: layout.identifiers(), failure: None }
    }

    /// Whether the file of a change is the one that a row's checksum was made of.
    pub(super) fn agreement(&mut self, change: &Change, row: &ForeignRow) -> Agreement {
        // Of these tools the checksum of the bytes as they are was made when the file was read.
        let is_sha256 = matches!(self.tool, ForeignTool::Drizzle | ForeignTool::Prisma);
        let read = change.script.file_checksum.digits();
        if is_sha256 && row.checksum.as_ref() == Some(&read) {
            return Agreement::Same;
        }
        let file = &change.script.file;
        let bytes = match self.last.take().filter(|(last, _)| file == last) {
            Some((_, bytes)) => bytes,
            None => match self.opened.scripts().read(file) {
                Ok(bytes) => bytes,
                Err(failure) => {
                    self.failure.get_or_insert(failure);
                    return Agreement::Unknowable("its file cannot be read");
                }
            },
        };
        let agreement = self.of_bytes(change, row, &bytes);
        self.last = Some((file.to_string(), bytes));
        agreement
    }

    fn of_bytes(&self, change: &Change, row: &ForeignRow, bytes: &[u8]) -> Agreement {
        let recorded = row.checksum.as_deref().unwrap_or_default();
        if self.tool == ForeignTool::Liquibase
            && let Some(agreement) = self.layout.agreement(change.identity.as_str(), bytes, recorded)
        {
            return agreement;
        }
        if count_for(self.tool, change) {
            let values = put_in(self.opened, self.layout.placeholder_marks(), change);
            return checksums::agreement_with_values(bytes, row, &values);
        }
        match checksums::agreement(self.tool, bytes, row) {
            Agreement::Same if self.is_planned_otherwise(change, row) => {
                Agreement::SameBut("what the plan says of it, or of one before it")
            }
            other => other,
        }
    }

    /// True where the tool's id is not the one that its plan of today makes.
    fn is_planned_otherwise(&self, change: &Change, row: &ForeignRow) -> bool {
        let ids = (self.identifiers.get(change.identity.as_str()), &row.id);
        matches!(ids, (Some(planned), Some(recorded)) if planned != recorded)
    }

    /// The first failure to read a file, where there was one.
    ///
    /// # Errors
    /// That one.
    pub(super) fn end(self) -> Result<(), Failure> {
        self.failure.map_or(Ok(()), Err)
    }
}
