// The C ABI of native/: Wasmtime and regorus. Included by .cpp files of src/policy and src/wasm only.
//
// Rules that hold for every function:
//  - A coffer_view is borrowed for the call. A coffer_buffer is owned by who receives it: release it once with
//    coffer_buffer_free. An `out` or `error` parameter may be null; what it held before is not released, so pass an
//    empty buffer. A call fills at most one of the two.
//  - A pointer to a handle is not null. A handle is released once by its own _free function, which accepts null.
//  - No function throws, unwinds or aborts on bad input. A panic inside comes back as an error.
//  - Callbacks must not throw.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct coffer_view {
  const uint8_t* data;
  size_t size;
} coffer_view;

typedef struct coffer_buffer {
  uint8_t* data;
  size_t size;
  size_t capacity;
} coffer_buffer;

void coffer_buffer_free(coffer_buffer buffer);
// A buffer with a copy of `bytes`: what a callback hands over.
coffer_buffer coffer_buffer_copy(coffer_view bytes);

// Bounds what the calling thread may hold of native memory, counted from now; 0 removes the bound. A thread that would
// go over it calls `hook` and then never returns from the native function it is in. `hook` must not call this ABI.
void coffer_thread_limit_memory(uint64_t limit, void (*hook)(void*), void* context);

// ---------------------------------------------------------------- policy

// A parsed module. Used by one thread until coffer_policy_prepare has returned, then shared by any number of them.
typedef struct coffer_policy coffer_policy;
// One evaluation. Used by one thread at a time; independent of its policy's lifetime.
typedef struct coffer_evaluation coffer_evaluation;

// Results of functions that answer with an int32_t.
enum {
  COFFER_NOTHING = 0,     // done; no value (Rego: undefined)
  COFFER_VALUE = 1,       // done; the value is in `out`
  COFFER_FAILED = -1,     // the message is in `error` (in `out` where there is no `error`)
  COFFER_TIMED_OUT = -2,  // as above: over the budget
  COFFER_PANICKED = -3,   // as above: a defect in a library
};

// Null with regorus' message ("\n--> name:line:column\n ...") in `error` where the text does not parse.
coffer_policy* coffer_policy_parse(coffer_view name, coffer_view text, coffer_buffer* error);
void coffer_policy_free(coffer_policy* policy);
// COFFER_VALUE: `package` is the name without "data.", `rules` how many rules there are. Otherwise the message in
// `package`.
int32_t coffer_policy_describe(coffer_policy* policy, coffer_buffer* package, size_t* rules);
// Analyses the module, so that clones need not. COFFER_NOTHING where it is sound.
int32_t coffer_policy_prepare(coffer_policy* policy, coffer_buffer* error);
// regorus' syntax tree as JSON: an array of modules.
int32_t coffer_policy_syntax_tree(const coffer_policy* policy, coffer_buffer* out);

// query_reference_value(id): COFFER_VALUE with JSON in `out`, COFFER_NOTHING, or COFFER_FAILED with a message in `out`.
typedef int32_t (*coffer_lookup)(void* context, coffer_view id, coffer_buffer* out);

typedef struct coffer_evaluation_options {
  coffer_view input;             // JSON
  coffer_view data;              // JSON object, or empty for none
  uint64_t budget_milliseconds;  // checked between interpreter steps, not inside builtin functions
  bool coverage;                 // record which lines were evaluated
  coffer_lookup lookup;          // null: query_reference_value is not defined
  void* context;                 // for `lookup`; valid until coffer_evaluation_free
} coffer_evaluation_options;

coffer_evaluation* coffer_evaluation_begin(const coffer_policy* policy, const coffer_evaluation_options* options,
                                           coffer_buffer* error);
// The JSON value of a Rego query, "data.policy.allow".
int32_t coffer_evaluation_query(coffer_evaluation* evaluation, coffer_view query, coffer_buffer* out,
                                coffer_buffer* error);
// Lines evaluated so far: "3 4 7". From here on reference values come from what was read before, never from `lookup`.
int32_t coffer_evaluation_coverage(coffer_evaluation* evaluation, coffer_buffer* out);
void coffer_evaluation_free(coffer_evaluation* evaluation);

// ---------------------------------------------------------------- wasm

// Wasmtime's engine with WASI linked to it. Shared by threads. Modules do not need it once they are made.
typedef struct coffer_wasm_engine coffer_wasm_engine;
// A compiled and linked module or component. Shared by threads.
typedef struct coffer_wasm_module coffer_wasm_module;
// Stops runs. Shared by threads.
typedef struct coffer_wasm_cancel coffer_wasm_cancel;

enum coffer_wasm_status {
  COFFER_WASM_DONE = 0,
  COFFER_WASM_BAD_MODULE = 1,
  COFFER_WASM_UNSUPPORTED_IMPORT = 2,
  COFFER_WASM_MISSING_EXPORT = 3,
  COFFER_WASM_BAD_ARGUMENTS = 4,
  COFFER_WASM_BAD_PREOPEN = 5,
  COFFER_WASM_TRAP = 6,
  COFFER_WASM_OUT_OF_MEMORY = 7,
  COFFER_WASM_OUT_OF_FUEL = 8,
  COFFER_WASM_TIMEOUT = 9,
  COFFER_WASM_CANCELLED = 10,
  COFFER_WASM_INTERNAL = 11,
  COFFER_WASM_NO_RESPONSE = 12,
  COFFER_WASM_BAD_RESULT = 13,
};

typedef struct coffer_wasm_pair {
  coffer_view key;
  coffer_view value;
} coffer_wasm_pair;

// `metered` engines count fuel. `instances`: how many guests may run or be kept at the same time. `host_functions` are
// what components may import beside WASI: interface and function each; an interface with an empty function has types
// only.
coffer_wasm_engine* coffer_wasm_engine_new(bool metered, uint32_t instances, const coffer_wasm_pair* host_functions,
                                           size_t host_function_count, coffer_buffer* error);
void coffer_wasm_engine_free(coffer_wasm_engine* engine);
// Starts a new epoch: each guest that runs yields once, and sees its deadline. Someone has to call this every few
// milliseconds while guests run.
void coffer_wasm_engine_tick(const coffer_wasm_engine* engine);
// Of everything that decides whether an artefact fits: version, processor, settings.
uint64_t coffer_wasm_engine_compatibility(const coffer_wasm_engine* engine);

// A coffer_wasm_status. `wasm` is binary, a core module or a component; it is not kept.
int32_t coffer_wasm_compile(const coffer_wasm_engine* engine, coffer_view wasm, coffer_wasm_module** out,
                            coffer_buffer* error);
// As above, of what coffer_wasm_module_serialize gave. DANGER: `artefact` is machine code. It must have been
// authenticated; nothing else in it is checked but the version it was made by.
int32_t coffer_wasm_load(const coffer_wasm_engine* engine, coffer_view artefact, bool component,
                         coffer_wasm_module** out, coffer_buffer* error);
void coffer_wasm_module_free(coffer_wasm_module* module);
bool coffer_wasm_module_is_component(const coffer_wasm_module* module);
// It exports wasi:http/incoming-handler, for coffer_wasm_handle.
bool coffer_wasm_module_handles_http(const coffer_wasm_module* module);
// A coffer_wasm_status; `out` holds the artefact, or a message.
int32_t coffer_wasm_module_serialize(const coffer_wasm_module* module, coffer_buffer* out);
// A coffer_wasm_status; exported functions, one "name\tsignature\n" each; of an interface as "interface#function".
int32_t coffer_wasm_module_exports(const coffer_wasm_module* module, coffer_buffer* out);

coffer_wasm_cancel* coffer_wasm_cancel_new(void);
void coffer_wasm_cancel_trigger(const coffer_wasm_cancel* cancel);
void coffer_wasm_cancel_free(coffer_wasm_cancel* cancel);

// Output: called on the thread of coffer_wasm_run. Null `write` discards. False closes the stream for the guest.
typedef struct coffer_wasm_output {
  bool (*write)(void* context, coffer_view bytes);
  void* context;
} coffer_wasm_output;

// Input: `read` is called on a thread of its own and may block; it returns how much it wrote, 0 at the end. `release`
// is called once, after the last `read`, possibly after coffer_wasm_run has returned. All null: no input.
typedef struct coffer_wasm_input {
  size_t (*read)(void* context, uint8_t* buffer, size_t size);
  void (*release)(void* context);
  void* context;
} coffer_wasm_input;

typedef struct coffer_wasm_preopen {
  coffer_view host_path;
  coffer_view guest_path;
  bool read_only;
} coffer_wasm_preopen;

// Answers calls of host functions, on the thread that runs the guest. `arguments` is a CBOR array (src/wasm/value.h);
// true: `out` holds the result as CBOR. False: it holds the message that the guest traps with. Null `call`: all trap.
typedef struct coffer_wasm_host {
  bool (*call)(void* context, coffer_view interface_name, coffer_view function, coffer_view arguments,
               coffer_buffer* out);
  void* context;
} coffer_wasm_host;

typedef struct coffer_wasm_outgoing_request {
  coffer_view method;
  coffer_view url;  // "https://host:port/path?query", the port always there
  const coffer_wasm_pair* headers;
  size_t header_count;
  coffer_view body;
  uint64_t first_byte_milliseconds;  // what the guest asks for; 0: nothing
} coffer_wasm_outgoing_request;

typedef struct coffer_wasm_response {
  uint32_t status;
  coffer_buffer headers;  // "name\tvalue\n" each; a value may hold tabs of its own
  coffer_buffer body;
} coffer_wasm_response;

// How an exchange went; what is not COFFER_WASM_SENT has its message in the place of the headers.
enum coffer_wasm_sent {
  COFFER_WASM_SENT = 0,
  COFFER_WASM_SENT_DENIED = 1,
  COFFER_WASM_SENT_UNRESOLVED = 2,
  COFFER_WASM_SENT_REFUSED = 3,
  COFFER_WASM_SENT_TERMINATED = 4,
  COFFER_WASM_SENT_TLS = 5,
  COFFER_WASM_SENT_TIMEOUT = 6,
  COFFER_WASM_SENT_TOO_LARGE = 7,
  COFFER_WASM_SENT_PROTOCOL = 8,
  COFFER_WASM_SENT_BAD_URL = 9,
  COFFER_WASM_SENT_INTERNAL = 10,
};

// What a guest sends by wasi:http. `allows` is asked for each request ("host:port" in lower case); `send` may block.
// Both are called on other threads, several at a time, possibly after the run has ended; `release` is called once,
// after the last of them. Null `send`: every request is denied.
typedef struct coffer_wasm_outgoing {
  bool (*allows)(void* context, coffer_view host_and_port);
  int32_t (*send)(void* context, const coffer_wasm_outgoing_request* request, coffer_wasm_response* response);
  void (*release)(void* context);
  void* context;
  size_t max_body;  // bytes of a request's body
} coffer_wasm_outgoing;

typedef struct coffer_wasm_invocation {
  coffer_view function;  // empty: run the command
  const coffer_view* arguments;
  size_t argument_count;
  const coffer_wasm_pair* environment;
  size_t environment_count;
  const coffer_wasm_preopen* preopens;
  size_t preopen_count;
  coffer_wasm_input standard_input;  // taken over by coffer_wasm_run
  coffer_wasm_output standard_output;
  coffer_wasm_output standard_error;
  uint64_t memory;  // bytes
  uint64_t fuel;    // of metered engines
  bool has_fuel;
  uint64_t wall_time_milliseconds;
  bool has_wall_time;
  const coffer_wasm_cancel* cancel;  // null: none
  coffer_wasm_host host;
  coffer_wasm_outgoing outgoing;  // taken over, as the input
} coffer_wasm_invocation;

typedef struct coffer_wasm_outcome {
  coffer_buffer text;  // results, one a line; or the message of what went wrong
  int32_t exit_code;
  uint64_t peak_memory;
  uint64_t fuel;  // used; metered engines only
} coffer_wasm_outcome;

// A coffer_wasm_status. Blocks until the guest has ended or was stopped. `outcome` is zeroed by the caller.
int32_t coffer_wasm_run(const coffer_wasm_module* module, const coffer_wasm_invocation* invocation,
                        coffer_wasm_outcome* outcome);

typedef struct coffer_wasm_request {
  coffer_view method;
  coffer_view target;     // path and query
  coffer_view authority;  // host and port
  const coffer_wasm_pair* headers;
  size_t header_count;
  coffer_view body;
  size_t response_limit;  // bytes of body
} coffer_wasm_request;

// A coffer_wasm_status. A new instance of a component handles one request; `function` of the invocation is not used.
// `response` and `outcome` are zeroed by the caller.
int32_t coffer_wasm_handle(const coffer_wasm_module* module, const coffer_wasm_invocation* invocation,
                           const coffer_wasm_request* request, coffer_wasm_response* response,
                           coffer_wasm_outcome* outcome);

// An instance that is kept. Used by one thread at a time; what its invocation points to lives as long as it.
typedef struct coffer_wasm_instance coffer_wasm_instance;

// A coffer_wasm_status; `function` of the invocation is not used, its arguments are argv.
int32_t coffer_wasm_instance_new(const coffer_wasm_module* module, const coffer_wasm_invocation* invocation,
                                 coffer_wasm_instance** out, coffer_buffer* error);
void coffer_wasm_instance_free(coffer_wasm_instance* instance);

typedef struct coffer_wasm_call {
  coffer_view function;
  coffer_view input;
  uint64_t fuel;  // of metered engines
  bool has_fuel;
  uint64_t wall_time_milliseconds;
  const coffer_wasm_cancel* cancel;  // null: none
} coffer_wasm_call;

// A coffer_wasm_status. After one that is neither DONE nor MISSING_EXPORT nor BAD_ARGUMENTS the instance must not be
// called again. `outcome` is zeroed by the caller; its text is the answer, or the message.
// A component's function; `input` is a CBOR array of arguments, the answer CBOR.
int32_t coffer_wasm_instance_call(coffer_wasm_instance* instance, const coffer_wasm_call* call,
                                  coffer_wasm_outcome* outcome);
// A core module's function (pointer, size) -> pointer << 32 | size, over memory that its plugin_alloc gives.
int32_t coffer_wasm_instance_exchange(coffer_wasm_instance* instance, const coffer_wasm_call* call,
                                      coffer_wasm_outcome* outcome);

#ifdef __cplusplus
}
#endif
