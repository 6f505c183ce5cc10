#include "evidence/measure/tdx.h"

#include <algorithm>
#include <array>

#include "base/byte_reader.h"
#include "crypto/hash.h"
#include "evidence/measure/ovmf.h"
#include "evidence/measure/pe.h"

namespace coffer::evidence::measure {

namespace {

constexpr std::uint64_t page_size = 4096;
constexpr std::uint64_t chunk_size = 256;
constexpr auto algorithm = crypto::HashAlgorithm::sha384;

class Mrtd {
 public:
  Mrtd(ByteView firmware, crypto::Hasher& hasher) : firmware_(firmware), hasher_(hasher) {}

  void add_page(std::uint64_t address) { record("MEM.PAGE.ADD", address); }
  void extend_page(const TdxSection& section, std::uint64_t offset) {
    std::array<std::byte, page_size> page{};
    if (offset < section.data_size) {
      const auto size = std::min<std::uint64_t>(page_size, section.data_size - offset);
      std::ranges::copy(firmware_.subspan(section.data_offset + offset, size), page.begin());
    }
    for (std::uint64_t chunk = 0; chunk < page_size; chunk += chunk_size) {
      record("MR.EXTEND", section.address + offset + chunk);
      hasher_.update(ByteView{page}.subspan(chunk, chunk_size));
    }
  }

 private:
  // 128 bytes: the operation's name, its address, zeros.
  void record(std::string_view operation, std::uint64_t address) {
    ByteWriter out;
    out.bytes(as_bytes(operation)).zeros(16 - operation.size()).u64_le(address).zeros(104);
    hasher_.update(out.view());
  }
  ByteView firmware_;
  crypto::Hasher& hasher_;
};

void add_section(Mrtd& mrtd, const TdxSection& section, TdxPageOrder order) {
  const bool together = order == TdxPageOrder::page_by_page && section.measured();
  for (std::uint64_t offset = 0; offset < section.memory_size; offset += page_size) {
    mrtd.add_page(section.address + offset);
    if (together) mrtd.extend_page(section, offset);
  }
  if (together || !section.measured()) return;
  for (std::uint64_t offset = 0; offset < section.memory_size; offset += page_size) mrtd.extend_page(section, offset);
}

Bytes replay(const std::vector<PredictedEvent>& events, std::uint32_t index, bool with_separator) {
  Bytes value(crypto::digest_size(algorithm));
  for (const auto& event : events) {
    if (event.index != index || (!with_separator && event.type == eventlog::EventType::separator)) continue;
    value = crypto::hash(algorithm, concat({value, event.digest}));
  }
  return value;
}

// A TD's registers take the events of several PCRs (UEFI 2.11 section 38.4.1): 4 and 5 go to RTMR1, 9 to RTMR2.
constexpr std::uint32_t rtmr1_index = 2;
constexpr std::uint32_t rtmr2_index = 3;

}  // namespace

Result<Bytes> tdx_mrtd(ByteView firmware, TdxPageOrder order) {
  crypto::Hasher hasher{algorithm};
  Mrtd mrtd{firmware, hasher};
  for (const auto& section : TRY(read_tdx_sections(firmware))) {
    if (!section.added_later()) add_section(mrtd, section, order);
  }
  return hasher.finish();
}

Result<TdxBoot> predict_tdx_boot(const VmBoot& boot) {
  const auto prediction = TRY(predict_vm(boot, algorithm));
  TdxBoot out;
  bool separated = false;
  for (auto event : prediction.events) {
    if (event.index != 4 && event.index != 5 && event.index != 9) continue;
    const bool separator = event.type == eventlog::EventType::separator;
    if (separator && std::exchange(separated, true)) continue;
    event.index = event.index == 9 ? rtmr2_index : rtmr1_index;
    out.events.push_back(std::move(event));
  }
  out.rtmr1 = {replay(out.events, rtmr1_index, false), replay(out.events, rtmr1_index, true)};
  out.rtmr2 = replay(out.events, rtmr2_index, false);
  std::erase_if(out.events, [](const auto& each) { return each.type == eventlog::EventType::separator; });
  return out;
}

}  // namespace coffer::evidence::measure
