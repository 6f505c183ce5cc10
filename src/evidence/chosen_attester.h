// The attester that a program in the guest uses: the TEE its user named, or the one this machine shows.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "evidence/init_data.h"
#include "evidence/registry.h"

namespace coffer::evidence {

struct AttesterChoice {
  std::string tee{};                            // "snp", "simulated:snp", "sample"; empty: the one this machine shows
  std::optional<InitData> init_data{};          // bound to the TEE, where it has a field for it
  std::filesystem::path simulator_directory{};  // for "simulated:..."
  std::filesystem::path root = "/";             // where devices are looked for
};

class ChosenAttester {
 public:
  // no_device where nothing was named and the machine shows no TEE; otherwise what Registry and
  // Attester::bind_init_data() say. A TEE without a field for init-data is no error here: the verifier decides.
  static Result<ChosenAttester> choose(const AttesterChoice& choice);

  const Attester& attester() const { return *attester_; }
  const std::string& name() const { return name_; }  // as the user would write it

 private:
  ChosenAttester() = default;
  std::unique_ptr<Registry> registry_;
  const Attester* attester_ = nullptr;
  std::string name_;
};

}  // namespace coffer::evidence
