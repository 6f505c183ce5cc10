/* What a plugin must not be, by -D: see CMakeLists.txt. */
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(name)))

#ifndef WITHOUT_ALLOC
EXPORT("plugin_alloc") uint32_t plugin_alloc(uint32_t size) { return size; }
#endif
EXPORT("plugin_free") void plugin_free(uint32_t data, uint32_t size) { (void)data, (void)size; }
#ifdef WRONG_TYPE
EXPORT("authorize") uint32_t authorize(uint32_t data, uint32_t size) { return data + size; }
#endif
#ifdef WITHOUT_ALLOC
EXPORT("authorize") uint64_t authorize(uint32_t data, uint32_t size) { return data + size; }
#endif
#ifdef TRAPS_AT_START
EXPORT("on_task_start") void on_task_start(uint32_t data, uint32_t size) { (void)data, (void)size; }
__attribute__((constructor)) static void initialize(void) { __builtin_trap(); }
#endif
