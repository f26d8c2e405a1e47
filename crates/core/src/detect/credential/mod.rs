//! Credentials: what is known by its shape, and what commands, logins and sentences say is one.

pub(super) mod bearer;
pub(super) mod command;
pub(super) mod instruction;
pub(super) mod login;
pub(super) mod manifest;
pub(super) mod password;
pub(super) mod procedure;
pub(super) mod secret;
pub(super) mod shell;
pub(super) mod spoken;
