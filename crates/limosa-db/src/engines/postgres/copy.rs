//! `COPY ... FROM stdin` with its data, streamed.

use std::pin::pin;

use bytes::Bytes;
use futures_util::SinkExt;

use super::error::{self, Sent};
use super::wire::Wire;
use crate::{Abort, DbError, DbErrorKind, FlightSource, Item};

/// How a COPY ended.
pub(super) enum End {
    Done {
        rows: u64,
    },
    Failed(DbError),
    /// The source gave up; the server was told to forget the data.
    Aborted,
}

/// Starts the COPY and takes items of the source up to CopyEnd, counting them in `next`. A chunk is taken only when the
/// one before has gone into the socket, so at most a few are in memory.
pub(super) async fn copy_in(wire: &mut Wire, sql: String, items: &mut dyn FlightSource, next: &mut u64) -> End {
    let client = wire.client();
    let prepared = wire.drive(client.prepare(&sql)).await;
    let sent = Sent::new(sql);
    let statement = match prepared {
        Ok(statement) => statement,
        Err(failure) => return End::Failed(error::of_statement(&failure, &sent)),
    };
    wire.heard().flush_instead_of_next_sync();
    let sink = match wire.drive(client.copy_in::<_, Bytes>(&statement)).await {
        Ok(sink) => sink,
        Err(failure) => return End::Failed(not_started(&failure, &sent)),
    };
    let errors = wire.heard().errors();
    let mut sink = pin!(sink);
    loop {
        let item = items.next();
        if let Ok(Some(_)) = item {
            *next += 1;
        }
        // Dropping the sink sends CopyFail.
        match item {
            Err(Abort) => return End::Aborted,
            Ok(Some(Item::CopyData(data))) => {
                let gone = wire.drive(sink.send(Bytes::from(data))).await.is_err();
                // Refused data, or a connection that is gone: the end says why.
                if gone || wire.heard().errors() > errors {
                    break;
                }
            }
            Ok(Some(Item::CopyEnd)) => break,
            Ok(_) => {
                return End::Failed(DbError::new(DbErrorKind::Statement, "the data of the COPY have no end"));
            }
        }
    }
    match wire.drive(sink.finish()).await {
        Ok(rows) => End::Done { rows },
        Err(failure) => End::Failed(error::of_statement(&failure, &sent)),
    }
}

/// A COPY with the client that came as a statement among others.
pub(super) fn unannounced() -> DbError {
    DbError::new(DbErrorKind::Statement, "COPY with the client cannot be run as a statement like others")
        .hint("let COPY ... FROM stdin be followed by its data, and COPY ... TO write into a file of the server's")
}

fn not_started(failure: &tokio_postgres::Error, sent: &Sent) -> DbError {
    if error::is_out_of_step(failure) {
        return DbError::new(
            DbErrorKind::Statement,
            "the statement was announced as a COPY from the client and is none",
        );
    }
    error::of_statement(failure, sent)
}
