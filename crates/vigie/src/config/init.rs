//! Does: stub
