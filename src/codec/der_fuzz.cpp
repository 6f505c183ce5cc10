// Elements lie inside their input, depth follows the input, and what is read is written again as it was.
#include <cstdint>
#include <cstdlib>

#include "codec/der.h"

namespace {

void require_same(const coffer::Bytes& written, coffer::ByteView read) {
  if (!coffer::equal(written, read)) std::abort();
}

void check_oid(const coffer::codec::der::Element& element) {
  using namespace coffer::codec;
  const auto text = der::oid_text(element.content);
  if (!text || element.tag != 0x06) return;
  const auto written = der::encode_oid(*text);
  if (!written) std::abort();
  require_same(*written, element.whole);
}

void check_integer(const coffer::codec::der::Element& element) {
  using namespace coffer::codec;
  (void)der::unsigned_integer(element.content);
  const auto magnitude = der::unsigned_bytes(element.content);
  if (magnitude && element.tag == 0x02) require_same(der::encode_integer(*magnitude), element.whole);
}

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
    require_same(der::encode(element->tag, element->content), element->whole);
    (void)der::boolean(element->content);
    (void)der::bit_string_octets(element->content);
    check_oid(*element);
    check_integer(*element);
    if ((element->tag & 0x20) != 0 && depth < 32) walk(element->content, depth + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  walk(std::as_bytes(std::span{data, size}), 0);
  return 0;
}
