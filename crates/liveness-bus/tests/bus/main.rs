//! The bus by itself, with messages made up here; nothing of the liveness check.

mod access;
mod audit;
mod building;
mod deadlines;
mod messages;
mod middleware;
mod observer;
mod panics;
mod refuse;
mod replies;
mod sending;
mod validation;
