//! One run: instantiate, call, and stop in time. The guest runs inside an asynchronous call on the calling thread, so
//! that a deadline or cancellation reaches it while it spins (it yields at each epoch) and while it sleeps (the sleep is
//! a future that is dropped).

use super::engine::{Code, Compiled};
use super::host::Host;
use super::http::{self, Request, Response};
use super::limits::{MemoryExceeded, State};
use super::outgoing::Outgoing;
use super::values;
use std::cell::OnceCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use wasmtime::component::wasm_wave::wasm::WasmFunc;
use wasmtime::component::{ComponentExportIndex, Val as ComponentVal};
use wasmtime::{Func, PoolConcurrencyLimitError, Store, Trap, Val, WasmBacktrace};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p1::WasiP1Ctx;

/// Handles of a component to what the host holds for it: streams, requests, bodies with a piece that nobody took.
const MAX_HANDLES: usize = 10_000;

/// Why a module cannot be used or a run did not end by itself; the text is for people.
pub enum Failure {
    BadModule(String),
    UnsupportedImport(String),
    MissingExport(String),
    BadArguments(String),
    BadPreopen(String),
    Trap(String),
    OutOfMemory(String),
    OutOfFuel,
    Timeout,
    Cancelled,
    NoResponse(String),
    BadResult(String),
    Internal(String),
}

/// What a run that ended by itself left.
pub enum Ended {
    Exited(i32),
    Returned(Vec<String>),
    Answered(Response),
}

#[derive(Default)]
pub struct Cancel {
    cancelled: AtomicBool,
    notify: Notify,
}

impl Cancel {
    pub fn trigger(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        self.notify.notify_waiters();
    }

    async fn wait(&self) {
        loop {
            let notified = self.notify.notified();
            tokio::pin!(notified);
            // Registered before the flag is read, so that no trigger falls between.
            notified.as_mut().enable();
            if self.cancelled.load(Ordering::SeqCst) {
                return;
            }
            notified.await;
        }
    }
}

pub enum Target {
    Command,
    Function(String),
    Request(Request),
}

/// What a guest gets, whether it runs once or is kept.
pub struct Guest {
    pub wasi: WasiP1Ctx,
    pub memory: u64,
    pub host: Host,
    pub outgoing: Option<Outgoing>,
}

/// When a run ends that does not end by itself.
pub struct Bounds<'a> {
    pub fuel: Option<u64>,
    pub wall_time: Option<Duration>,
    pub cancel: Option<&'a Cancel>,
}

pub struct Job<'a> {
    pub compiled: &'a Compiled,
    pub target: Target,
    pub arguments: Vec<String>,
    pub guest: Guest,
    pub bounds: Bounds<'a>,
}

#[derive(Default)]
pub struct Usage {
    pub peak_memory: u64,
    pub fuel: u64,
}

/// A current-thread runtime for each thread that runs guests; making one costs more than a small guest does.
struct ThreadRuntime(Option<tokio::runtime::Runtime>);

impl Drop for ThreadRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // A file operation that blocks must not hold up the thread's end.
            runtime.shutdown_background();
        }
    }
}

thread_local! {
    static RUNTIME: OnceCell<ThreadRuntime> = const { OnceCell::new() };
}

/// Runs `work` on this thread, until it ends or has to.
pub fn within<T>(bounds: &Bounds, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    RUNTIME.with(|cell| {
        let runtime = cell.get_or_init(|| {
            let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
            ThreadRuntime(built.ok())
        });
        let Some(runtime) = &runtime.0 else {
            return Err(Failure::Internal("no event loop could be made".to_owned()));
        };
        runtime.block_on(async {
            tokio::select! {
                biased;
                () = cancelled(bounds.cancel) => Err(Failure::Cancelled),
                () = passed(bounds.wall_time) => Err(Failure::Timeout),
                result = work => result,
            }
        })
    })
}

pub fn store_of(compiled: &Compiled, guest: Guest) -> Store<State> {
    let state = State::new(guest.wasi, guest.memory, guest.host, guest.outgoing);
    let mut store = Store::new(&compiled.engine, state);
    store.limiter(|state| &mut state.memory);
    store.set_max_component_handles(MAX_HANDLES);
    store.set_epoch_deadline(1);
    store.epoch_deadline_async_yield_and_update(1);
    store
}

pub fn run(job: Job) -> (Result<Ended, Failure>, Usage) {
    let mut store = store_of(job.compiled, job.guest);
    let fuel = fill(&mut store, &job.bounds);
    let work = execute(job.compiled, &mut store, &job.target, &job.arguments);
    let result = within(&job.bounds, work);
    (result, used(&store, fuel))
}

/// What it started with. Engines that do not count take no fuel.
pub fn fill(store: &mut Store<State>, bounds: &Bounds) -> u64 {
    let fuel = bounds.fuel.unwrap_or(u64::MAX);
    let _ = store.set_fuel(fuel);
    fuel
}

pub fn used(store: &Store<State>, fuel: u64) -> Usage {
    Usage {
        peak_memory: store.data().memory.peak(),
        fuel: store.get_fuel().map_or(0, |left| fuel - left),
    }
}

async fn cancelled(cancel: Option<&Cancel>) {
    match cancel {
        Some(cancel) => cancel.wait().await,
        None => std::future::pending().await,
    }
}

async fn passed(wall_time: Option<Duration>) {
    match wall_time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

const HANDLER: &str = "wasi:http/incoming-handler#handle";

type Running = Result<Ended, Failure>;

async fn execute(compiled: &Compiled, store: &mut Store<State>, target: &Target, arguments: &[String]) -> Running {
    match (&compiled.code, target) {
        (Code::Core(_, pre), Target::Command) => {
            let instance = pre.instantiate_async(&mut *store).await.map_err(failure_of)?;
            let start = instance
                .get_func(&mut *store, "_start")
                .ok_or_else(|| missing("_start"))?;
            ended(start.call_async(store, &[], &mut []).await)
        }
        (Code::Core(_, pre), Target::Function(name)) => {
            let instance = pre.instantiate_async(&mut *store).await.map_err(failure_of)?;
            let function = instance.get_func(&mut *store, name).ok_or_else(|| missing(name))?;
            if let Some(initialize) = instance.get_func(&mut *store, "_initialize")
                && name != "_initialize"
            {
                initialize
                    .call_async(&mut *store, &[], &mut [])
                    .await
                    .map_err(failure_of)?;
            }
            call_core(store, function, name, arguments).await
        }
        (Code::Component(linked), Target::Command) => {
            let command = linked.command.as_ref().ok_or_else(|| missing("wasi:cli/run#run"))?;
            let command = command.instantiate_async(&mut *store).await.map_err(failure_of)?;
            match command.wasi_cli_run().call_run(store).await {
                Ok(result) => Ok(Ended::Exited(i32::from(result.is_err()))),
                Err(error) => ended(Err(error)),
            }
        }
        (Code::Component(linked), Target::Request(request)) => match &linked.proxy {
            Some(proxy) => http::handle(proxy, store, request).await,
            None => Err(missing(HANDLER)),
        },
        (Code::Core(..), Target::Request(_)) => Err(missing(HANDLER)),
        (Code::Component(_), Target::Function(name)) => call_component(compiled, store, name, arguments).await,
    }
}

pub fn missing(name: &str) -> Failure {
    Failure::MissingExport(format!("the module exports no function {name}"))
}

/// Leaving `_start` by returning is exit code 0.
fn ended(result: wasmtime::Result<()>) -> Running {
    match result {
        Ok(()) => Ok(Ended::Exited(0)),
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(I32Exit(code)) => Ok(Ended::Exited(*code)),
            None => Err(failure_of(error)),
        },
    }
}

async fn call_core(store: &mut Store<State>, function: Func, name: &str, arguments: &[String]) -> Running {
    let ty = function.ty(&*store);
    let parameters = values::parse_all(name, &ty, arguments).map_err(Failure::BadArguments)?;
    let mut results = vec![Val::I32(0); ty.results().len()];
    match function.call_async(store, &parameters, &mut results).await {
        Ok(()) => {
            let texts: Result<Vec<_>, _> = results.iter().map(values::print).collect();
            texts.map(Ended::Returned).map_err(Failure::BadArguments)
        }
        Err(error) => ended(Err(error)),
    }
}

/// The index of `function` or of `interface#function`.
fn find(compiled: &Compiled, name: &str) -> Option<ComponentExportIndex> {
    let Code::Component(linked) = &compiled.code else {
        return None;
    };
    let lookup =
        |instance: Option<&ComponentExportIndex>, name: &str| linked.component.get_export_index(instance, name);
    match name.rsplit_once('#') {
        Some((interface, function)) => lookup(Some(&lookup(None, interface)?), function),
        None => lookup(None, name),
    }
}

async fn call_component(compiled: &Compiled, store: &mut Store<State>, name: &str, arguments: &[String]) -> Running {
    let Code::Component(linked) = &compiled.code else {
        return Err(missing(name));
    };
    let index = find(compiled, name).ok_or_else(|| missing(name))?;
    let instance = linked.pre.instantiate_async(&mut *store).await.map_err(failure_of)?;
    let function = instance.get_func(&mut *store, index).ok_or_else(|| missing(name))?;
    let ty = function.ty(&*store);
    let parameters = parse_wave(name, &ty, arguments).map_err(Failure::BadArguments)?;
    let mut results = vec![ComponentVal::Bool(false); ty.results().len()];
    match function.call_async(store, &parameters, &mut results).await {
        Ok(()) => {
            let texts: Result<Vec<_>, _> = results.iter().map(ComponentVal::to_wave).collect();
            texts
                .map(Ended::Returned)
                .map_err(|error| Failure::BadArguments(format!("{error:#}")))
        }
        Err(error) => ended(Err(error)),
    }
}

fn parse_wave(
    name: &str,
    ty: &wasmtime::component::types::ComponentFunc,
    arguments: &[String],
) -> Result<Vec<ComponentVal>, String> {
    let types: Vec<_> = WasmFunc::params(ty).collect();
    if types.len() != arguments.len() {
        return Err(format!(
            "{name} takes {} arguments, {} were given",
            types.len(),
            arguments.len()
        ));
    }
    let pairs = types.iter().zip(arguments).enumerate();
    pairs
        .map(|(index, (ty, text))| {
            ComponentVal::from_wave(ty, text)
                .map_err(|error| format!("argument {} of {name}, {text:?}: {error:#}", index + 1))
        })
        .collect()
}

pub fn failure_of(error: wasmtime::Error) -> Failure {
    if let Some(exceeded) = error.downcast_ref::<MemoryExceeded>() {
        return Failure::OutOfMemory(exceeded.to_string());
    }
    if error.downcast_ref::<PoolConcurrencyLimitError>().is_some() {
        return Failure::OutOfMemory(format!("{error:#}"));
    }
    let trap = error.downcast_ref::<Trap>().copied();
    if trap == Some(Trap::OutOfFuel) {
        return Failure::OutOfFuel;
    }
    let mut message = trap.map_or_else(|| error.root_cause().to_string(), |trap| trap.to_string());
    if let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() {
        message.push('\n');
        message.push_str(&backtrace.to_string());
    }
    Failure::Trap(message)
}
