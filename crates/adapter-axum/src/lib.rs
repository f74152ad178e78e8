//! Sessions for axum and any tower service over http types.
