//! What a guest's store holds: its WASI context, who answers for the host, and the bound on its memory.

use super::host::Host;
use super::outgoing::{Hooks, Outgoing, Sender};
use std::sync::Arc;
use wasmtime::ResourceLimiter;
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::{WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// Entries over all tables of a guest.
const MAX_TABLE_ENTRIES: usize = 10_000_000;

pub struct State {
    pub wasi: WasiP1Ctx,
    pub memory: MemoryBound,
    pub host: Host,
    http: WasiHttpCtx,
    hooks: Hooks,
}

impl State {
    pub fn new(wasi: WasiP1Ctx, memory: u64, host: Host, outgoing: Option<Outgoing>) -> Self {
        Self {
            wasi,
            memory: MemoryBound::new(memory),
            host,
            http: WasiHttpCtx::new(),
            hooks: Hooks {
                sender: outgoing.map(|outgoing| Arc::new(Sender::new(outgoing))),
            },
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.wasi.ctx()
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.hooks,
            table: self.wasi.ctx().table,
            ctx: &mut self.http,
        }
    }
}

/// Over all memories of the guest. Growing over it ends the run: a guest that is told "no" mostly crashes later, far
/// from the cause.
pub struct MemoryBound {
    limit: u64,
    held: u64,
}

impl MemoryBound {
    pub fn new(limit: u64) -> Self {
        Self { limit, held: 0 }
    }

    /// Linear memory never shrinks, so what is held is also the peak.
    pub fn peak(&self) -> u64 {
        self.held
    }
}

/// The guest wanted more memory than it may have.
#[derive(Debug)]
pub struct MemoryExceeded {
    wanted: u64,
    limit: u64,
}

impl std::fmt::Display for MemoryExceeded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "the guest wants {} bytes of memory, its limit is {}",
            self.wanted, self.limit
        )
    }
}

impl std::error::Error for MemoryExceeded {}

impl ResourceLimiter for MemoryBound {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let wanted = self.held.saturating_add((desired - current) as u64);
        if wanted > self.limit {
            let limit = self.limit;
            return Err(MemoryExceeded { wanted, limit }.into());
        }
        self.held = wanted;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= maximum.unwrap_or(MAX_TABLE_ENTRIES).min(MAX_TABLE_ENTRIES))
    }
}
