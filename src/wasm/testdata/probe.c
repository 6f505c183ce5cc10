/* A WASI command that does what its first argument says; the tests of the runtime run it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int print_arguments(int argc, char** argv) {
  for (int i = 0; i < argc; ++i) printf("%s\n", argv[i]);
  return 0;
}

static int print_file(const char* path) {
  FILE* file = fopen(path, "r");
  if (file == NULL) return errno;
  char buffer[256];
  size_t size;
  while ((size = fread(buffer, 1, sizeof buffer, file)) > 0) fwrite(buffer, 1, size, stdout);
  fclose(file);
  return 0;
}

static int write_file(const char* path, const char* text) {
  FILE* file = fopen(path, "w");
  if (file == NULL) return errno;
  fputs(text, file);
  return fclose(file) == 0 ? 0 : errno;
}

static int copy_input(void) {
  char buffer[4096];
  ssize_t size;
  while ((size = read(0, buffer, sizeof buffer)) > 0) {
    if (write(1, buffer, (size_t)size) != size) return errno;
  }
  return size == 0 ? 0 : errno;
}

static char* volatile last_piece;  /* keeps the compiler from leaving the allocations out */

static int allocate_without_end(void) {
  for (;;) {
    last_piece = malloc(1 << 20);
    if (last_piece == NULL) return 70;
    memset(last_piece, 1, 1 << 20);
  }
}

static volatile int sink;

static int recurse(int depth) {
  volatile char frame[1024];
  frame[depth & 1023] = (char)depth;
  return recurse(depth + 1) + frame[0];
}

static int stream_slowly(void) {
  for (int i = 0;; ++i) {
    printf("tick %d\n", i);
    fflush(stdout);
    usleep(20000);
  }
}

int main(int argc, char** argv) {
  const char* what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "args") == 0) return print_arguments(argc, argv);
  if (strcmp(what, "env") == 0) return printf("%s\n", getenv(argv[2]) ? getenv(argv[2]) : "(unset)") < 0;
  if (strcmp(what, "cat") == 0) return copy_input();
  if (strcmp(what, "read") == 0) return print_file(argv[2]);
  if (strcmp(what, "write") == 0) return write_file(argv[2], argv[3]);
  if (strcmp(what, "stderr") == 0) return fprintf(stderr, "%s\n", argv[2]) < 0;
  if (strcmp(what, "exit") == 0) exit(atoi(argv[2]));
  if (strcmp(what, "allocate") == 0) return allocate_without_end();
  if (strcmp(what, "sleep") == 0) return (int)sleep(600);
  if (strcmp(what, "stream") == 0) return stream_slowly();
  if (strcmp(what, "trap") == 0) __builtin_trap();
  if (strcmp(what, "recurse") == 0) return recurse(0);
  if (strcmp(what, "spin") == 0) {
    for (;;) ++sink;
  }
  fprintf(stderr, "unknown command %s\n", what);
  return 64;
}
