//! WASM over Wasmtime: engines, compiled modules, one run at a time on the calling thread.

mod engine;
mod exports;
mod http;
mod interface;
mod limits;
mod run;
mod streams;
mod values;
