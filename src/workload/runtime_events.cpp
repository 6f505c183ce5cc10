#include "workload/runtime_events.h"

#include "codec/base64.h"
#include "codec/json.h"

namespace coffer::workload {
namespace {

constexpr std::string_view upstream_domain = "github.com/confidential-containers";
constexpr std::string_view own_domain = "coffer";

std::string quoted(std::string_view text) {
  return codec::json::serialize(codec::json::Value{text});
}

// With one space after the comma: events are hashed byte for byte, and upstream writes its content so.
std::string object(std::string_view first, std::string_view first_value, std::string_view second,
                   std::string_view second_value) {
  return "{" + quoted(first) + ":" + quoted(first_value) + ", " + quoted(second) + ":" + quoted(second_value) + "}";
}

}  // namespace

RuntimeEvents::RuntimeEvents(const evidence::ChosenAttester* attester)
    : attester_(attester != nullptr && attester->keeps_event_log() ? attester : nullptr) {}

Result<> RuntimeEvents::init_data(const evidence::InitData& init_data) {
  const auto algorithm = crypto::name_of(init_data.algorithm());
  return measure(own_domain, "InitData",
                 object("algorithm", algorithm, "digest", codec::hex_encode(init_data.digest())));
}

Result<> RuntimeEvents::image(std::string_view reference, const image::Digest& manifest) {
  return measure(upstream_domain, "PullImage", object("image", reference, "digest", manifest.text()));
}

Result<> RuntimeEvents::workload(std::string_view reference, const image::Digest& layer) {
  return measure(own_domain, "StartWorkload", object("image", reference, "layer", layer.text()));
}

Result<> RuntimeEvents::measure(std::string_view domain, std::string_view operation, const std::string& content) {
  if (attester_ == nullptr) return {};
  TRY(attester_->measure(domain, operation, content));
  texts_.push_back(std::string{domain} + " " + std::string{operation} + " " + content);
  return {};
}

}  // namespace coffer::workload
