#include "apps/version_text.h"

#include "base/version.h"
#include "evidence/detect.h"
#include "evidence/registry.h"

namespace coffer::apps {

std::string version_text(std::string_view program) {
  std::string text = std::string{program} + " " + std::string{version()} + "\nTEEs built in:";
  for (const auto kind : evidence::built_in_tees()) text += " " + std::string{evidence::wire_name(kind)};
  text += "\nTEE detected:";
  const auto detected = evidence::detect_tees();
  for (const auto& tee : detected) text += " " + std::string{evidence::wire_name(tee.kind)} + " (" + tee.device + ")";
  if (detected.empty()) text += " none";
  return text;
}

codec::json::Object version_json() {
  codec::json::Array built_in, detected;
  for (const auto kind : evidence::built_in_tees()) built_in.emplace_back(evidence::wire_name(kind));
  for (const auto& tee : evidence::detect_tees()) {
    detected.push_back(codec::json::Object{{"tee", evidence::wire_name(tee.kind)}, {"device", tee.device}});
  }
  return {{"built_in", built_in}, {"detected", detected}};
}

codec::json::Object machine_json() {
  codec::json::Array findings;
  codec::json::Value chosen;
  for (const auto& each : evidence::survey_tees()) {
    if (each.taken && chosen.is_null()) chosen = evidence::wire_name(each.kind);
    findings.push_back(codec::json::Object{{"tee", evidence::wire_name(each.kind)},
                                           {"device", each.device},
                                           {"taken", each.taken},
                                           {"reason", each.reason}});
  }
  return {{"tee", chosen}, {"findings", findings}};
}

}  // namespace coffer::apps
