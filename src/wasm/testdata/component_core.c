/* The core module inside the components of component_testing.cpp: no memory of the host's, no WASI. */
#define EXPORT(name) __attribute__((export_name(name)))

EXPORT("add") int add(int a, int b) { return a + b; }
/* result: 0 is ok, 1 is error. */
EXPORT("succeed") int succeed(void) { return 0; }
EXPORT("fail") int fail(void) { return 1; }
