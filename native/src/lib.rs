//! Wasmtime and regorus behind the narrow C ABI of `coffer_native.h`.
//!
//! The header documents every function: ownership, threads, return values. Here each of them is a thin shell that
//! checks its pointers, catches panics and calls safe code. Nothing here decides anything about trust.

mod ffi;
mod memory;
mod policy;
mod wasm;

#[global_allocator]
static ALLOCATOR: memory::BoundedAllocator = memory::BoundedAllocator;
