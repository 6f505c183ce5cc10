// A plugin that denies tasks with more than two arguments, and tells each task its own name and the output of the last.
#include "heap.h"

#include <stddef.h>
#include <stdint.h>

#define LIFECYCLE(name) __attribute__((export_name("propeller:proplet-plugin/lifecycle@0.1.0#" name)))

struct text {
  const uint8_t* data;
  size_t size;
};
struct optional_text {
  uint8_t has;
  struct text text;
};
struct authorize_response {
  uint8_t allow;
  struct optional_text reason;
};
struct variable {
  struct text name, value;
};
struct enrich_response {
  const struct variable* variables;
  size_t count;
};

// What a call was given is gone with it.
static void forget(void) {
  used = 0;
}

static uint8_t last_output[256], own_name[256];
static struct text last = {last_output, 0};

static struct text kept(uint8_t* place, const uint8_t* data, size_t size) {
  const size_t most = size < 256 ? size : 256;
  for (size_t i = 0; i < most; ++i) place[i] = data[i];
  return (struct text){place, most};
}

#define TASK                                                                                                         \
  const uint8_t *id, size_t id_size, const uint8_t *name, size_t name_size, const uint8_t *image, size_t image_size, \
      const struct text *arguments, size_t argument_count, const struct variable *variables, size_t variable_count,  \
      int32_t daemon, int32_t encrypted
#define UNUSED (void)id, (void)id_size, (void)image, (void)image_size, (void)variables, (void)variable_count, (void)daemon, (void)encrypted

LIFECYCLE("authorize") struct authorize_response* authorize(TASK) {
  static struct authorize_response response;
  static const char reason[] = "at most two arguments";
  UNUSED, (void)name, (void)name_size, (void)arguments;
  response.allow = argument_count <= 2;
  response.reason = (struct optional_text){!response.allow, {(const uint8_t*)reason, sizeof reason - 1}};
  forget();
  return &response;
}

LIFECYCLE("enrich") struct enrich_response* enrich(TASK) {
  static struct variable out[2];
  static struct enrich_response response = {out, 2};
  UNUSED, (void)arguments, (void)argument_count;
  out[0] = (struct variable){{(const uint8_t*)"TASK_NAME", 9}, kept(own_name, name, name_size)};
  out[1] = (struct variable){{(const uint8_t*)"LAST_OUTPUT", 11}, last};
  forget();
  return &response;
}

LIFECYCLE("on-task-start") void on_task_start(TASK) {
  UNUSED, (void)name, (void)name_size, (void)arguments, (void)argument_count;
  forget();
}

LIFECYCLE("on-task-complete")
void on_task_complete(const uint8_t* id, size_t id_size, int32_t success, int32_t has_output, const uint8_t* output,
                      size_t output_size, int32_t has_error, const uint8_t* error, size_t error_size) {
  (void)id, (void)id_size, (void)success, (void)has_error, (void)error, (void)error_size;
  if (has_output) last = kept(last_output, output, output_size);
  forget();
}
