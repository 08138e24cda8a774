//! Tests of the bus alone, with messages that are defined here. Nothing is about the liveness check.

mod access;
mod audit;
mod building;
mod deadlines;
mod decoding;
mod events;
mod messages;
mod middleware;
mod observer;
mod panics;
mod refuse;
mod replies;
mod sending;
mod traces;
mod validation;
