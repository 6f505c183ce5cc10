// What becomes of images and modules at run time, measured into the TEE's event log: evidence from then on tells of it.
// An event is measured before what it tells of is used, so that a broker can ask which image the key is for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "evidence/chosen_attester.h"
#include "image/digest.h"

namespace coffer::workload {

class RuntimeEvents {
 public:
  // Where `attester` is null or keeps no log nothing is measured. It outlives the object.
  explicit RuntimeEvents(const evidence::ChosenAttester* attester = nullptr);

  // "coffer InitData {"algorithm":"sha256", "digest":"<hex>"}"
  Result<> init_data(const evidence::InitData& init_data);
  // "github.com/confidential-containers PullImage {"image":"<reference>", "digest":"<manifest digest>"}", to the byte
  // as upstream's data hub has it (guest-components.md 2.6).
  Result<> image(std::string_view reference, const image::Digest& manifest);
  // "coffer StartWorkload {"image":"<reference>", "layer":"<digest>"}"
  Result<> workload(std::string_view reference, const image::Digest& layer);

  // What was measured, "<domain> <operation> <content>" each.
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  Result<> measure(std::string_view domain, std::string_view operation, const std::string& content);
  const evidence::ChosenAttester* attester_;
  std::vector<std::string> texts_;
};

}  // namespace coffer::workload
