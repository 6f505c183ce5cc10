/* A WASI reactor: exported functions of each type. */
#include <stdint.h>
#include <stdio.h>
#include <wasi/api.h>

#define EXPORT(name) __attribute__((export_name(name)))

static int initialized;
static int calls;

__attribute__((constructor)) static void initialize(void) { initialized = 41; }

EXPORT("add") int32_t add(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); }
EXPORT("add64") int64_t add64(int64_t a, int64_t b) { return a + b; }
EXPORT("halve") float halve(float a) { return a / 2; }
EXPORT("scale") double scale(double a, int32_t by) { return a * by; }
EXPORT("nothing") void nothing(void) {}
EXPORT("count") int32_t count(void) { return initialized + ++calls; }
EXPORT("greet") void greet(void) {
  puts("hello");
  fflush(stdout);
}
EXPORT("divide") int32_t divide(int32_t a, int32_t b) { return a / b; }
EXPORT("leave") void leave(int32_t code) { __wasi_proc_exit((__wasi_exitcode_t)code); }
EXPORT("work") int32_t work(int32_t times) {
  volatile int32_t sum = 0;
  for (int32_t i = 0; i < times; ++i) sum += i;
  return sum;
}
