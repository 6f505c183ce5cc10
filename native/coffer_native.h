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
  COFFER_NOTHING = 0,    // done; no value (Rego: undefined)
  COFFER_VALUE = 1,      // done; the value is in `out`
  COFFER_FAILED = -1,    // the message is in `error` (in `out` where there is no `error`)
  COFFER_TIMED_OUT = -2, // as above: over the budget
  COFFER_PANICKED = -3,  // as above: a defect in a library
};

// Null with regorus' message ("\n--> name:line:column\n ...") in `error` where the text does not parse.
coffer_policy* coffer_policy_parse(coffer_view name, coffer_view text, coffer_buffer* error);
void coffer_policy_free(coffer_policy* policy);
// COFFER_VALUE: `package` is the name without "data.", `rules` how many rules there are. Otherwise the message in `package`.
int32_t coffer_policy_describe(coffer_policy* policy, coffer_buffer* package, size_t* rules);
// Analyses the module, so that clones need not. COFFER_NOTHING where it is sound.
int32_t coffer_policy_prepare(coffer_policy* policy, coffer_buffer* error);
// regorus' syntax tree as JSON.
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

#ifdef __cplusplus
}
#endif
