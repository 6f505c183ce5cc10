/* A reactor with the exchange of instance.h: bytes in and out through plugin_alloc and plugin_free. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT(name) __attribute__((export_name(name)))

static int pieces; /* given and not taken back */
static int calls;
static int refusing;

EXPORT("plugin_alloc") uint8_t* plugin_alloc(uint32_t size) {
  if (refusing == 1) return NULL;
  if (refusing == 2) return (uint8_t*)0xfffffff0u;
  ++pieces;
  return malloc(size + 1);
}

EXPORT("plugin_free") void plugin_free(uint8_t* data, uint32_t size) {
  (void)size;
  --pieces;
  free(data);
}

static uint64_t packed(const uint8_t* data, uint32_t size) { return ((uint64_t)(uintptr_t)data << 32) | size; }

EXPORT("upper") uint64_t upper(const uint8_t* data, uint32_t size) {
  uint8_t* out = plugin_alloc(size);
  for (uint32_t i = 0; i < size; ++i) out[i] = data[i] >= 'a' && data[i] <= 'z' ? data[i] - 32 : data[i];
  return packed(out, size);
}
EXPORT("same") uint64_t same(const uint8_t* data, uint32_t size) { return packed(data, size); }
EXPORT("silent") void silent(const uint8_t* data, uint32_t size) {
  (void)data;
  calls += (int)size;
}
/* Two bytes: calls so far, and pieces that were not given back (the input is one of them). */
EXPORT("count") uint64_t count(const uint8_t* data, uint32_t size) {
  (void)data;
  (void)size;
  ++calls;
  const int held = pieces;
  uint8_t* out = plugin_alloc(2);
  out[0] = (uint8_t)calls;
  out[1] = (uint8_t)held;
  return packed(out, 2);
}
EXPORT("nothing") uint64_t nothing(const uint8_t* data, uint32_t size) { return packed(data, size & 0); }
EXPORT("beyond") uint64_t beyond(const uint8_t* data, uint32_t size) { return packed(data + (1u << 30), size); }
EXPORT("overflow") uint64_t overflow(const uint8_t* data, uint32_t size) {
  (void)data;
  (void)size;
  return packed((const uint8_t*)0xfffffffeu, 4);
}
EXPORT("huge") uint64_t huge(const uint8_t* data, uint32_t size) {
  (void)size;
  return packed(data, 0x7fffffff);
}
EXPORT("refuse") void refuse(const uint8_t* data, uint32_t size) {
  (void)size;
  refusing = data[0];
}
EXPORT("trap") uint64_t trap(const uint8_t* data, uint32_t size) {
  (void)data;
  (void)size;
  __builtin_trap();
}
static volatile int sink;
EXPORT("spin") uint64_t spin(const uint8_t* data, uint32_t size) {
  (void)data;
  (void)size;
  for (;;) ++sink;
}
EXPORT("work") uint64_t work(const uint8_t* data, uint32_t size) {
  for (uint32_t i = 0; i < 100000; ++i) ++sink;
  return packed(data, size & 0);
}
EXPORT("number") int32_t number(int32_t value) { return value; }
EXPORT("allocate") uint64_t allocate(const uint8_t* data, uint32_t size) {
  (void)size;
  for (;;) {
    uint8_t* volatile piece = malloc(1 << 20);
    if (piece == NULL) return packed(data, 0);
    memset(piece, 1, 1 << 20);
  }
}
