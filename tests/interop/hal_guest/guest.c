// Calls what upstream's own example of a HAL guest calls, and gives one line for each back.
#include "heap.h"

#include <stddef.h>
#include <stdint.h>

#define IMPORT(module, name) __attribute__((import_module("elastic:hal/" module "@0.1.0"), import_name(name)))

struct bytes {
  const uint8_t* data;
  size_t size;
};
struct bytes_result {
  uint8_t is_error;
  struct bytes value;
};
struct info {
  struct bytes type, version;
};
struct capability {
  struct bytes name;
  uint8_t supported;
  struct bytes version;
};
struct pair_result {
  uint8_t is_error;
  struct bytes public_key, private_key;
};
struct bool_result {
  uint8_t is_error;
  union {
    uint8_t value;
    struct bytes error;
  };
};
struct time_result {
  uint8_t is_error;
  union {
    struct {
      uint64_t seconds;
      uint32_t nanoseconds;
    };
    struct bytes error;
  };
};

IMPORT("platform", "get-platform-info") void platform_info(struct info* result);
IMPORT("platform", "list-capabilities") void capabilities(struct bytes* result);
IMPORT("platform", "has-capability") int32_t has_capability(const char* name, size_t size);
IMPORT("crypto", "hash") void hash(const void* data, size_t size, int32_t algorithm, struct bytes_result* result);
IMPORT("crypto", "generate-keypair") void generate(struct pair_result* result);
IMPORT("crypto", "sign")
void sign(const void* data, size_t size, const void* key, size_t key_size, struct bytes_result* result);
IMPORT("crypto", "verify")
void verify(const void* data, size_t size, const void* signature, size_t signature_size, const void* key,
            size_t key_size, struct bool_result* result);
IMPORT("clock", "get-system-time") void system_time(struct time_result* result);
IMPORT("random", "get-random-bytes") void random_bytes(uint32_t size, struct bytes_result* result);

static char text[8192];
static size_t length;
static void put(const char* words) {
  while (*words != 0 && length < sizeof text) text[length++] = *words++;
}
static void put_bytes(struct bytes bytes) {
  for (size_t i = 0; i < bytes.size && length < sizeof text; ++i) text[length++] = (char)bytes.data[i];
}
static void put_hex(struct bytes bytes) {
  for (size_t i = 0; i < bytes.size && length + 2 < sizeof text; ++i) {
    text[length++] = "0123456789abcdef"[bytes.data[i] >> 4];
    text[length++] = "0123456789abcdef"[bytes.data[i] & 15];
  }
}
static void put_number(uint64_t number) {
  if (number >= 10) put_number(number / 10);
  const char digit[2] = {(char)('0' + number % 10), 0};
  put(digit);
}

static void say_platform(void) {
  struct info info;
  platform_info(&info);
  put("platform: ");
  put_bytes(info.type);
  put(" ");
  put_bytes(info.version);
  struct bytes list;
  capabilities(&list);
  const struct capability* each = (const struct capability*)list.data;
  put("\ncapabilities:");
  for (size_t i = 0; i < list.size; ++i) {
    put(" ");
    put_bytes(each[i].name);
    put(each[i].supported ? "+" : "-");
  }
  put(has_capability("crypto", 6) && !has_capability("flight", 6) ? "\nasked: right\n" : "\nasked: wrong\n");
}

static void say_hashes(void) {
  static const char* const names[] = {"sha256: ", "sha512: ", "blake3: "};
  for (int32_t algorithm = 0; algorithm < 3; ++algorithm) {
    struct bytes_result digest;
    hash("hello", 5, algorithm, &digest);
    put(names[algorithm]);
    if (digest.is_error) put_bytes(digest.value);
    else put_hex(digest.value);
    put("\n");
  }
}

static void say_signature(void) {
  struct pair_result pair;
  generate(&pair);
  struct bytes_result signature;
  struct bool_result right, wrong;
  sign("hello", 5, pair.private_key.data, pair.private_key.size, &signature);
  verify("hello", 5, signature.value.data, signature.value.size, pair.public_key.data, pair.public_key.size, &right);
  verify("hullo", 5, signature.value.data, signature.value.size, pair.public_key.data, pair.public_key.size, &wrong);
  const int good = !pair.is_error && !signature.is_error && !right.is_error && right.value && !wrong.is_error;
  put(good && !wrong.value ? "signature: holds\n" : "signature: does not hold\n");
}

__attribute__((export_name("run-hal-test"))) struct bytes* run_hal_test(void) {
  static struct bytes result;
  length = 0;
  say_platform();
  say_hashes();
  say_signature();
  struct bytes_result drawn;
  random_bytes(32, &drawn);
  put("random: ");
  put_number(drawn.is_error ? 0 : drawn.value.size);
  struct time_result now;
  system_time(&now);
  put("\nseconds: ");
  put_number(now.is_error ? 0 : now.seconds);
  result.data = (const uint8_t*)text;
  result.size = length;
  return &result;
}
