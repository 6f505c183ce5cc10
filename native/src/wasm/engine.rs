//! Engines, and modules compiled and linked against WASI once for all their runs.

use super::host::{self, Function};
use super::limits::State;
use super::run::Failure;
use std::hash::{DefaultHasher, Hash, Hasher};
use wasmtime::component::{self, Component};
use wasmtime::{Config, InstanceAllocationStrategy, Linker, Module, PoolingAllocationConfig};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p2::bindings::CommandPre;
use wasmtime_wasi_http::p2::bindings::ProxyPre;

/// Bytes of linear memory that a slot of the pool reserves in the address space: what 32-bit memories can have.
const MAX_MEMORY: usize = 1 << 32;
/// Entries of a table; 8 bytes each, reserved per slot.
const MAX_TABLE: usize = 1 << 20;
/// Bytes of an instance's own bookkeeping. Large modules (interpreters) need over the default of 1 MiB.
const MAX_INSTANCE: usize = 16 << 20;
/// Memory, tables and stack that a slot keeps resident between runs, instead of giving it back to the system.
const KEEP_RESIDENT: usize = 256 << 10;
/// Host stack for guest frames; the fiber's stack leaves room for host functions above it.
const WASM_STACK: usize = 1 << 20;
const FIBER_STACK: usize = 2 << 20;

pub struct Engine {
    pub engine: wasmtime::Engine,
    core: Linker<State>,
    component: component::Linker<State>,
}

/// A component, linked; its entry points are looked up once, not at each run.
pub struct Linked {
    pub component: Component,
    pub pre: component::InstancePre<State>,
    pub command: Option<CommandPre<State>>,
    pub proxy: Option<ProxyPre<State>>,
}

pub enum Code {
    Core(Module, wasmtime::InstancePre<State>),
    Component(Box<Linked>),
}

pub struct Compiled {
    pub engine: wasmtime::Engine,
    pub code: Code,
}

fn pool(instances: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_core_instances(instances.saturating_mul(4))
        .total_component_instances(instances)
        .total_memories(instances)
        .total_tables(instances.saturating_mul(2))
        .total_stacks(instances)
        .total_gc_heaps(instances)
        .max_memory_size(MAX_MEMORY)
        .table_elements(MAX_TABLE)
        .max_core_instance_size(MAX_INSTANCE)
        .max_component_instance_size(MAX_INSTANCE)
        .max_memories_per_module(4)
        .max_tables_per_module(16)
        .max_tables_per_component(32)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(KEEP_RESIDENT);
    pool
}

fn config(metered: bool, instances: u32) -> Config {
    let mut config = Config::new();
    config
        .consume_fuel(metered)
        .epoch_interruption(true)
        .concurrency_support(false)
        .max_wasm_stack(WASM_STACK)
        .async_stack_size(FIBER_STACK)
        .memory_init_cow(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(instances)));
    config
}

impl Engine {
    /// `functions`: what components may import beside WASI.
    pub fn new(metered: bool, instances: u32, functions: &[Function]) -> wasmtime::Result<Self> {
        let engine = wasmtime::Engine::new(&config(metered, instances))?;
        let mut core = Linker::new(&engine);
        wasmtime_wasi::p1::add_to_linker_async(&mut core, |state: &mut State| &mut state.wasi)?;
        // Theirs traps on codes above 125; a guest's exit code is its own business.
        core.allow_shadowing(true);
        core.func_wrap(
            "wasi_snapshot_preview1",
            "proc_exit",
            |code: i32| -> wasmtime::Result<()> { Err(I32Exit(code & 0xff).into()) },
        )?;
        let mut component = component::Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut component)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut component)?;
        host::link(&mut component, functions)?;
        Ok(Self {
            engine,
            core,
            component,
        })
    }

    /// Of everything that decides whether an artefact may be loaded: version, target, settings.
    pub fn compatibility(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.engine.precompile_compatibility_hash().hash(&mut hasher);
        hasher.finish()
    }

    pub fn compile(&self, wasm: &[u8]) -> Result<Compiled, Failure> {
        let bad = |error: wasmtime::Error| Failure::BadModule(format!("{error:#}"));
        if is_component(wasm) {
            return self.link_component(Component::from_binary(&self.engine, wasm).map_err(bad)?);
        }
        self.link_core(Module::from_binary(&self.engine, wasm).map_err(bad)?)
    }

    /// # Safety
    /// `artefact` is machine code: it was made by [`Compiled::serialize`] and authenticated.
    pub unsafe fn load(&self, artefact: &[u8], component: bool) -> Result<Compiled, Failure> {
        let bad = |error: wasmtime::Error| Failure::BadModule(format!("{error:#}"));
        // SAFETY: promised by the caller.
        unsafe {
            if component {
                return self.link_component(Component::deserialize(&self.engine, artefact).map_err(bad)?);
            }
            self.link_core(Module::deserialize(&self.engine, artefact).map_err(bad)?)
        }
    }

    fn link_core(&self, module: Module) -> Result<Compiled, Failure> {
        let pre = self.core.instantiate_pre(&module);
        let pre = pre.map_err(|error| Failure::UnsupportedImport(format!("{error:#}")))?;
        Ok(self.compiled(Code::Core(module, pre)))
    }

    fn link_component(&self, component: Component) -> Result<Compiled, Failure> {
        let pre = self.component.instantiate_pre(&component);
        let pre = pre.map_err(|error| Failure::UnsupportedImport(format!("{error:#}")))?;
        Ok(self.compiled(Code::Component(Box::new(Linked {
            command: CommandPre::new(pre.clone()).ok(),
            proxy: ProxyPre::new(pre.clone()).ok(),
            component,
            pre,
        }))))
    }

    fn compiled(&self, code: Code) -> Compiled {
        Compiled {
            engine: self.engine.clone(),
            code,
        }
    }
}

impl Compiled {
    pub fn is_component(&self) -> bool {
        matches!(self.code, Code::Component(..))
    }

    pub fn handles_http(&self) -> bool {
        matches!(&self.code, Code::Component(linked) if linked.proxy.is_some())
    }

    pub fn serialize(&self) -> wasmtime::Result<Vec<u8>> {
        match &self.code {
            Code::Core(module, _) => module.serialize(),
            Code::Component(linked) => linked.component.serialize(),
        }
    }
}

/// The layer field of the preamble is 1 for components (Component Model, Binary.md); their version is not 1 yet.
fn is_component(wasm: &[u8]) -> bool {
    wasm.get(..8)
        .is_some_and(|head| head.starts_with(b"\0asm") && head[6..8] == [1, 0])
}
