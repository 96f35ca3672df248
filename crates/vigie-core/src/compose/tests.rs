//! The reader and the editor: files of real shapes, and documents made of parts by the hundred, of
//! which the maker knows what they say.

mod dotenv;
mod editing;
mod fixtures;
mod generator;
mod reading;
mod references;
