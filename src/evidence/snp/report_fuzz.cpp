#include "evidence/snp/report.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace coffer;
  namespace snp = evidence::snp;
  const ByteView raw{reinterpret_cast<const std::byte*>(data), size};
  const auto report = snp::Report::parse(raw);
  if (!report) return 0;
  if (!equal(report->encode(), raw)) __builtin_trap();
  const auto again = snp::Report::from_json(report->to_json());
  if (!again || !(*again == *report)) __builtin_trap();
  (void)snp::describe(*report);
  return 0;
}
