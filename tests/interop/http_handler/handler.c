// A handler of HTTP requests. By the path: "/silent" ends without an answer, "/error" answers with internal-error,
// "/spin" never ends, "/trap" traps, "/missing" answers 404, "/endless" writes without an end, "/unfinished" leaves its
// body open, "/say" writes to standard output and error first; every other path answers 200 with "path: <path>\n" and
// then the request's body.
#include "heap.h"

#include <stddef.h>
#include <stdint.h>

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define HTTP "wasi:http/types@0.2.0"
#define STREAMS "wasi:io/streams@0.2.0"

IMPORT(HTTP, "[constructor]fields") int32_t fields_new(void);
IMPORT(HTTP, "[method]incoming-request.path-with-query") void request_path(int32_t self, void* result);
IMPORT(HTTP, "[method]incoming-request.consume") void request_consume(int32_t self, void* result);
IMPORT(HTTP, "[method]incoming-body.stream") void incoming_stream(int32_t self, void* result);
IMPORT(HTTP, "[constructor]outgoing-response") int32_t response_new(int32_t headers);
IMPORT(HTTP, "[method]outgoing-response.set-status-code") int32_t response_status(int32_t self, int32_t status);
IMPORT(HTTP, "[method]outgoing-response.body") void response_body(int32_t self, void* result);
IMPORT(HTTP, "[method]outgoing-body.write") void outgoing_write(int32_t self, void* result);
IMPORT(HTTP, "[static]outgoing-body.finish") void outgoing_finish(int32_t self, int32_t has, int32_t trailers, void* result);
IMPORT(HTTP, "[static]response-outparam.set")
void outparam_set(int32_t self, int32_t is_error, int32_t response_or_code, int32_t has, int64_t a, int32_t b, int32_t c,
                  int32_t d, int32_t e);
IMPORT("wasi:cli/stdout@0.2.0", "get-stdout") int32_t get_stdout(void);
IMPORT("wasi:cli/stderr@0.2.0", "get-stderr") int32_t get_stderr(void);
IMPORT(STREAMS, "[method]input-stream.blocking-read") void stream_read(int32_t self, int64_t most, void* result);
IMPORT(STREAMS, "[method]output-stream.blocking-write-and-flush")
void stream_write(int32_t self, const uint8_t* data, size_t size, void* result);
IMPORT(STREAMS, "[resource-drop]output-stream") void output_drop(int32_t self);

struct handle_result {
  uint8_t is_error;
  int32_t handle;
};
struct text {
  const uint8_t* data;
  size_t size;
};
struct optional_text {
  uint8_t has;
  struct text text;
};
struct read_result {
  uint8_t is_error;
  struct text bytes;
};

static int is(struct text text, const char* name) {
  size_t i = 0;
  while (i < text.size && name[i] != 0 && text.data[i] == (uint8_t)name[i]) ++i;
  return i == text.size && name[i] == 0;
}

static int32_t taken(void (*method)(int32_t, void*), int32_t self) {
  struct handle_result result;
  method(self, &result);
  if (result.is_error) __builtin_trap();
  return result.handle;
}

static int put(int32_t stream, const void* data, size_t size) {
  uint8_t result[12];
  stream_write(stream, data, size, result);
  return result[0] == 0;
}

static void echo(int32_t request, int32_t stream) {
  const int32_t input = taken(incoming_stream, taken(request_consume, request));
  for (;;) {
    struct read_result read;
    used = 0;
    stream_read(input, 4096, &read);
    if (read.is_error) return;
    if (read.bytes.size != 0 && !put(stream, read.bytes.data, read.bytes.size)) return;
  }
}

__attribute__((export_name("wasi:http/incoming-handler@0.2.0#handle"))) void handle(int32_t request, int32_t outparam) {
  struct optional_text path;
  request_path(request, &path);
  if (is(path.text, "/silent")) return;
  if (is(path.text, "/trap")) __builtin_trap();
  if (is(path.text, "/error")) {
    outparam_set(outparam, 1, 38, 0, 0, 0, 0, 0, 0);
    return;
  }
  for (volatile int spin = is(path.text, "/spin"); spin;) {
  }
  if (is(path.text, "/say")) {
    put(get_stdout(), "said aloud", 10);
    put(get_stderr(), "said in distress", 16);
  }
  const int32_t response = response_new(fields_new());
  if (is(path.text, "/missing")) response_status(response, 404);
  const int32_t body = taken(response_body, response);
  outparam_set(outparam, 0, response, 0, 0, 0, 0, 0, 0);
  const int32_t stream = taken(outgoing_write, body);
  put(stream, "path: ", 6);
  put(stream, path.text.data, path.text.size);
  put(stream, "\n", 1);
  for (int endless = is(path.text, "/endless"); endless;) endless = put(stream, heap, 4096);
  if (is(path.text, "/unfinished")) return;
  echo(request, stream);
  output_drop(stream);
  uint8_t finished[40];
  outgoing_finish(body, 0, 0, finished);
}
