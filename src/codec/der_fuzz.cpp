// Elements lie inside their input, and depth follows the input.
#include <cstdint>
#include <cstdlib>

#include "codec/der.h"

namespace {

void walk(coffer::ByteView data, int depth) {
  using namespace coffer::codec;
  der::Reader reader(data);
  while (!reader.at_end()) {
    const auto element = reader.next();
    if (!element) return;
    const auto begin = data.data();
    const auto end = data.data() + data.size();
    if (element->whole.data() < begin || element->whole.data() + element->whole.size() > end) std::abort();
    if (element->content.data() + element->content.size() != element->whole.data() + element->whole.size())
      std::abort();
    if (element->tag == 0x06) (void)der::oid_text(element->content);
    if (element->tag == 0x02) (void)der::unsigned_integer(element->content);
    if ((element->tag & 0x20) != 0 && depth < 32) walk(element->content, depth + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  walk(std::as_bytes(std::span{data, size}), 0);
  return 0;
}
