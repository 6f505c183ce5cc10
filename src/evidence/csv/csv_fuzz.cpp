#include "evidence/csv/csv.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coffer;
  using namespace coffer::evidence;
  const ByteView bytes{reinterpret_cast<const std::byte*>(data), size};
  Bytes page(csv::report_page);
  std::copy_n(bytes.begin(), std::min(bytes.size(), page.size()), page.begin());
  const auto magic = to_bytes(std::string_view{"ATTESTATION_EXT\0", 16});
  for (const unsigned flags : {0U, 1U}) {
    if (const auto report = csv::parse_report(page, magic, flags)) (void)csv::describe(*report);
  }
  if (const auto value = codec::json::parse(as_text(bytes))) (void)csv::parse_evidence(*value);
  return 0;
}
