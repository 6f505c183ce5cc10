//! WASM over Wasmtime: engines, compiled modules, one run or call at a time on the calling thread.

mod cbor;
mod engine;
mod exports;
mod host;
mod http;
mod interface;
mod kept;
mod kept_interface;
mod limits;
mod outgoing;
mod pairs;
mod run;
mod streams;
mod typed;
mod values;
