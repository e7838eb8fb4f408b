//! Work on the workspace itself.
fn main() {}
