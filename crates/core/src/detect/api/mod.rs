//! What is known from AWS's operations: what they take, what they answer and how the command line prints it.

pub(super) mod answer;
pub(super) mod call;
pub(super) mod operation;
pub(super) mod output;
pub(super) mod positional;
pub(super) mod query;
pub(super) mod vouched;
