//! Where a connection would go, without making it.

use super::parameters::{Parameters, Place};
use crate::{ConnectOptions, DbError, TargetDescription};

/// Reads the options as [`connect`](super::connect()) does, and connects to nothing.
///
/// # Errors
/// [`Configuration`](crate::DbErrorKind::Configuration) where they make no sense.
pub fn describe(options: &ConnectOptions) -> Result<TargetDescription, DbError> {
    let parameters = Parameters::read(options, &|path| path.exists())?;
    let join = |part: &dyn Fn(&Place) -> String| {
        let mut parts: Vec<String> = parameters.places.iter().map(part).collect();
        if parts.windows(2).all(|pair| pair[0] == pair[1]) {
            parts.truncate(1);
        }
        parts.join(",")
    };
    Ok(TargetDescription {
        host: join(&|place| place.host.shown()),
        port: join(&|place| place.port.to_string()),
        database: parameters.database.clone(),
        user: parameters.user.clone(),
    })
}
