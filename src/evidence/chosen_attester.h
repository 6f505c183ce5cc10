// The attester that a program in the guest uses: the TEE its user named, or the one this machine shows.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "evidence/eventlog/agent_event_log.h"
#include "evidence/init_data.h"
#include "evidence/registry.h"

namespace coffer::evidence {

struct AttesterChoice {
  std::string tee{};                            // "snp", "simulated:snp", "sample"; empty: the one this machine shows
  std::optional<InitData> init_data{};          // bound to the TEE, where it has a field for it
  std::filesystem::path simulator_directory{};  // for "simulated:..."
  std::filesystem::path root = "/";             // where devices are looked for
  // The PCR whose register takes runtime events (guest-components.md 2.6); nothing: none are kept.
  std::optional<unsigned> event_log_pcr{};
};

class ChosenAttester {
 public:
  // no_device where nothing was named and the machine shows no TEE; otherwise what Registry and
  // Attester::bind_init_data() say. A TEE without a field for init-data is no error here: the verifier decides.
  static Result<ChosenAttester> choose(const AttesterChoice& choice);

  // Extends the register with "<domain> <operation> <content>" and logs it, so that evidence from then on tells of it.
  // Nothing where no log is kept. Errors are those of AgentEventLog::extend().
  Result<> measure(std::string_view domain, std::string_view operation, std::string_view content) const;
  // Whether a log is kept: it was asked for, and the TEE has registers that this machine lets it extend. Where it has
  // none a warning `evidence.no_event_log` has said so.
  bool keeps_event_log() const { return event_log_ != nullptr; }

  const Attester& attester() const { return *attester_; }
  const std::string& name() const { return name_; }  // as the user would write it

 private:
  ChosenAttester() = default;
  Result<> open_event_log(const AttesterChoice& choice, bool simulated);

  std::unique_ptr<Registry> registry_;
  const Attester* attester_ = nullptr;
  eventlog::MemoryAgentLog simulated_log_;
  unsigned event_log_pcr_ = 0;
  std::unique_ptr<eventlog::AgentEventLog> event_log_;
  std::string name_;
};

}  // namespace coffer::evidence
