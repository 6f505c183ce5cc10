// What parses must serialise to something that parses to the same again.
#include <cstdlib>

#include "keyclient/protocol.h"

namespace {

using namespace coffer::keyclient;

template <class Message>
void round_trip(std::string_view text) {
  const auto message = Message::parse(text);
  if (!message) return;
  const auto once = message->serialize();
  const auto again = Message::parse(once);
  if (!again || again->serialize() != once) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  round_trip<Request>(text);
  round_trip<Challenge>(text);
  round_trip<Attestation>(text);
  round_trip<AttestationResponse>(text);
  round_trip<ErrorInformation>(text);
  round_trip<BrokerInfo>(text);
  return 0;
}
