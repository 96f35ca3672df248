//! Decides what a compose file says and how one value of it is changed in place. Files are read with
//! the place of every value; an edit leaves every other byte as it is, is read again, and is refused
//! unless the new file says what the old one said but for that value.

mod document;
mod dotenv;
mod edit;
mod image;
mod node;
mod place;
mod read;
pub mod references;
mod refusal;
pub mod role;
pub mod template;
#[cfg(test)]
mod tests;
mod value;

pub use document::{Document, Twice, View};
pub use dotenv::{Dotenv, Variable};
pub use image::{ImageEdit, ImageName};
pub use node::Style;
pub use place::Place;
pub use refusal::{Refusal, Why};
pub use value::Value;
