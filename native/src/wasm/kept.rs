//! Instances that are kept and called many times. What a failed call leaves is the caller's to know: it calls no more.

use super::engine::{Code, Compiled};
use super::limits::State;
use super::run::{Bounds, Failure, Guest, Usage, failure_of, fill, missing, store_of, used, within};
use super::typed;
use wasmtime::component::Val;
use wasmtime::{AsContextMut, Memory, Store, TypedFunc};

/// Bytes that go in or come out by [`Kept::exchange`]; `Instance::max_exchange` of `wasm/instance.h`.
const MAX_EXCHANGE: usize = 16 << 20;

#[derive(Clone, Copy)]
enum Instance {
    Core(wasmtime::Instance),
    Component(wasmtime::component::Instance),
}

pub struct Kept {
    store: Store<State>,
    instance: Instance,
}

type Answered = Result<Vec<u8>, Failure>;

impl Kept {
    pub fn new(compiled: &Compiled, guest: Guest, bounds: &Bounds) -> Result<Self, Failure> {
        let mut store = store_of(compiled, guest);
        fill(&mut store, bounds);
        let instance = within(bounds, instantiate(compiled, &mut store))?;
        Ok(Self { store, instance })
    }

    /// A component's function, by values as CBOR.
    pub fn call(&mut self, function: &str, arguments: &[u8], bounds: &Bounds) -> (Answered, Usage) {
        let fuel = fill(&mut self.store, bounds);
        let answered = match self.instance {
            Instance::Component(instance) => within(bounds, call(&mut self.store, instance, function, arguments)),
            Instance::Core(_) => Err(missing(function)),
        };
        (answered, used(&self.store, fuel))
    }

    /// A core module's function, by bytes in its memory.
    pub fn exchange(&mut self, function: &str, input: &[u8], bounds: &Bounds) -> (Answered, Usage) {
        let fuel = fill(&mut self.store, bounds);
        let answered = match self.instance {
            Instance::Core(instance) => within(bounds, exchange(&mut self.store, instance, function, input)),
            Instance::Component(_) => Err(missing(function)),
        };
        (answered, used(&self.store, fuel))
    }
}

async fn instantiate(compiled: &Compiled, store: &mut Store<State>) -> Result<Instance, Failure> {
    match &compiled.code {
        Code::Component(linked) => {
            let instance = linked.pre.instantiate_async(&mut *store).await.map_err(failure_of)?;
            Ok(Instance::Component(instance))
        }
        Code::Core(_, pre) => {
            let instance = pre.instantiate_async(&mut *store).await.map_err(failure_of)?;
            if let Some(initialize) = instance.get_func(&mut *store, "_initialize") {
                let initialized = initialize.call_async(&mut *store, &[], &mut []).await;
                initialized.map_err(failure_of)?;
            }
            Ok(Instance::Core(instance))
        }
    }
}

async fn call(
    store: &mut Store<State>,
    instance: wasmtime::component::Instance,
    name: &str,
    arguments: &[u8],
) -> Answered {
    let index = match name.rsplit_once('#') {
        Some((interface, function)) => {
            let interface = instance.get_export_index(&mut *store, None, interface);
            interface.and_then(|interface| instance.get_export_index(&mut *store, Some(&interface), function))
        }
        None => instance.get_export_index(&mut *store, None, name),
    };
    let function = index.and_then(|index| instance.get_func(&mut *store, index));
    let function = function.ok_or_else(|| missing(name))?;
    let ty = function.ty(&*store);
    let types: Vec<_> = ty.params().map(|(_, ty)| ty).collect();
    let arguments = typed::decode_all(arguments, types.into_iter())
        .map_err(|error| Failure::BadArguments(format!("{name}: {error}")))?;
    let mut results = vec![Val::Bool(false); ty.results().len()];
    let called = function.call_async(&mut *store, &arguments, &mut results).await;
    called.map_err(failure_of)?;
    typed::encode_result(&results, ty.results()).map_err(|error| Failure::BadResult(format!("{name}: {error}")))
}

async fn exchange(store: &mut Store<State>, instance: wasmtime::Instance, name: &str, input: &[u8]) -> Answered {
    let function = instance.get_func(&mut *store, name).ok_or_else(|| missing(name))?;
    let answers = function.typed::<(u32, u32), u64>(&*store);
    let silent = function.typed::<(u32, u32), ()>(&*store);
    let Some(guest) = Exchange::find(store, instance) else {
        return Err(Failure::MissingExport(
            "the module does not export memory, plugin_alloc(i32) -> i32 and plugin_free(i32, i32)".to_owned(),
        ));
    };
    if answers.is_err() && silent.is_err() {
        return Err(Failure::MissingExport(format!(
            "{name} is no function of (i32, i32) -> i64"
        )));
    }
    let given = guest.put(store, input).await?;
    let answer = match (answers, silent) {
        (Ok(function), _) => unpack(function.call_async(&mut *store, given).await.map_err(failure_of)?),
        (_, Ok(function)) => {
            function.call_async(&mut *store, given).await.map_err(failure_of)?;
            (0, 0)
        }
        _ => (0, 0),
    };
    let output = guest.copy(store, answer)?;
    if answer.1 > 0 && answer.0 != given.0 {
        guest
            .release
            .call_async(&mut *store, answer)
            .await
            .map_err(failure_of)?;
    }
    guest.release.call_async(&mut *store, given).await.map_err(failure_of)?;
    Ok(output)
}

#[expect(clippy::cast_possible_truncation, reason = "two halves of 32 bits")]
fn unpack(packed: u64) -> (u32, u32) {
    ((packed >> 32) as u32, packed as u32)
}

/// A guest's side of an exchange; places are (pointer, size).
struct Exchange {
    memory: Memory,
    allocate: TypedFunc<u32, u32>,
    release: TypedFunc<(u32, u32), ()>,
}

impl Exchange {
    fn find(store: &mut Store<State>, instance: wasmtime::Instance) -> Option<Self> {
        Some(Self {
            memory: instance.get_memory(&mut *store, "memory")?,
            allocate: instance.get_typed_func(&mut *store, "plugin_alloc").ok()?,
            release: instance.get_typed_func(&mut *store, "plugin_free").ok()?,
        })
    }

    async fn put(&self, store: &mut Store<State>, input: &[u8]) -> Result<(u32, u32), Failure> {
        let size = u32::try_from(input.len()).ok().filter(|_| input.len() <= MAX_EXCHANGE);
        let size = size.ok_or_else(|| Failure::BadArguments(format!("over {MAX_EXCHANGE} bytes")))?;
        let pointer = self.allocate.call_async(&mut *store, size).await.map_err(failure_of)?;
        let place = range(pointer, size).and_then(|range| self.memory.data_mut(store.as_context_mut()).get_mut(range));
        match place {
            Some(place) if pointer != 0 => place.copy_from_slice(input),
            _ => {
                return Err(Failure::BadResult(format!(
                    "plugin_alloc gave {size} bytes at {pointer}, which is not in its memory"
                )));
            }
        }
        Ok((pointer, size))
    }

    fn copy(&self, store: &mut Store<State>, (pointer, size): (u32, u32)) -> Answered {
        if size as usize > MAX_EXCHANGE {
            return Err(Failure::BadResult(format!(
                "the answer has {size} bytes, the limit is {MAX_EXCHANGE}"
            )));
        }
        let place = range(pointer, size).and_then(|range| self.memory.data(&*store).get(range));
        place.map(<[u8]>::to_vec).ok_or_else(|| {
            Failure::BadResult(format!(
                "the answer is {size} bytes at {pointer}, which is not in the guest's memory"
            ))
        })
    }
}

/// Nothing where the end is beyond 32 bits, which a guest's memory never is.
fn range(pointer: u32, size: u32) -> Option<std::ops::Range<usize>> {
    let end = pointer.checked_add(size)?;
    Some(pointer as usize..end as usize)
}
