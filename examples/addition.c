// The demonstration's workload: a command that reports where it runs, and an exported function.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((export_name("add"))) int32_t add(int32_t a, int32_t b) { return a + b; }

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: addition A B\n");
    return 2;
  }
  const int32_t sum = add(atoi(argv[1]), atoi(argv[2]));
  printf("%s + %s = %d\n", argv[1], argv[2], sum);
  return 0;
}
