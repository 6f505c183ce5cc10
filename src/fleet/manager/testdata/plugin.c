/* A manager plugin that does what the task's name says: "forbidden" is denied, "trap" traps, and so on. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT(name) __attribute__((export_name(name)))

EXPORT("plugin_alloc") char* plugin_alloc(uint32_t size) { return malloc(size + 1); }
EXPORT("plugin_free") void plugin_free(char* data, uint32_t size) {
  (void)size;
  free(data);
}

static uint64_t answer(const char* json) {
  const uint32_t size = (uint32_t)strlen(json);
  char* out = plugin_alloc(size);
  memcpy(out, json, size);
  return ((uint64_t)(uintptr_t)out << 32) | size;
}

static int says(const char* request, uint32_t size, const char* what) {
  return memmem(request, size, what, strlen(what)) != NULL;
}
static int is_named(const char* request, uint32_t size, const char* name) {
  char member[64];
  snprintf(member, sizeof member, "\"name\":\"%s\"", name);
  return says(request, size, member);
}

static volatile int sink;

EXPORT("authorize") uint64_t authorize(const char* request, uint32_t size) {
  if (is_named(request, size, "trap")) __builtin_trap();
  while (is_named(request, size, "spin")) ++sink;
  if (is_named(request, size, "garbage")) return answer("{\"allow\":");
  if (is_named(request, size, "wrong")) return answer("{\"allow\":\"yes\"}");
  if (is_named(request, size, "silent")) return 0;
  if (is_named(request, size, "forbidden")) return answer("{\"allow\":false,\"reason\":\"this name is not allowed\"}");
  if (is_named(request, size, "no-stop") && says(request, size, "\"action\":\"stop\"")) return answer("{\"allow\":false}");
  if (is_named(request, size, "no-start") && says(request, size, "\"action\":\"start\"")) {
    return answer(says(request, size, "\"user_id\":\"system\"") ? "{\"reason\":\"not even by itself\"}" : "{}");
  }
  if (is_named(request, size, "alices") && !says(request, size, "\"user_id\":\"alice\"")) {
    return answer("{\"allow\":false,\"reason\":\"only alice\"}");
  }
  if (is_named(request, size, "kept") && (says(request, size, "\"action\":\"delete\"") || says(request, size, "\"action\":\"update\"") ||
                                           says(request, size, "\"action\":\"invoke\""))) {
    return answer("{\"allow\":false,\"reason\":\"kept as it is\"}");
  }
  return answer("{\"allow\":true}");
}

EXPORT("enrich_task") uint64_t enrich_task(const char* request, uint32_t size) {
  if (is_named(request, size, "plain")) return answer("{}");
  if (is_named(request, size, "unclear")) return answer("[]");
  if (is_named(request, size, "urgent")) return answer("{\"priority\":101}");
  return answer("{\"env\":{\"BY\":\"plugin\"},\"priority\":70,\"inputs\":[\"extra\",\"10\"],\"image_url\":\"mirror/x:v1\"}");
}

EXPORT("on_before_proplet_select") uint64_t on_before_proplet_select(const char* request, uint32_t size) {
  if (is_named(request, size, "tagged")) return answer("{\"allow\":true,\"required_tags\":[\"gpu\"]}");
  if (is_named(request, size, "large")) return answer("{\"allow\":true,\"min_memory_bytes\":2147483648}");
  if (is_named(request, size, "nowhere")) return answer("{\"allow\":false,\"reason\":\"not today\"}");
  if (is_named(request, size, "unselected")) __builtin_trap();
  return answer("{\"allow\":true}");
}

EXPORT("on_before_dispatch") uint64_t on_before_dispatch(const char* request, uint32_t size) {
  if (is_named(request, size, "stay")) return answer("{\"allow\":false}");
  if (!says(request, size, "\"proplet\":{\"id\":")) return answer("{\"allow\":false,\"reason\":\"no proplet\"}");
  return answer("{\"allow\":true,\"extra_env\":{\"DISPATCHED\":\"yes\"}}");
}

EXPORT("on_task_start") void on_task_start(const char* request, uint32_t size) {
  printf("started %.*s\n", (int)size, request);
  fflush(stdout);
}
EXPORT("on_task_complete") void on_task_complete(const char* request, uint32_t size) {
  if (says(request, size, "\"error\":\"trap\"")) __builtin_trap();
}
