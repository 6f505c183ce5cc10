// Bodies of auth and attest from anyone on the network. The attest body meets an open session, so that whatever gets
// past the nonce is judged too.
#include <cstdlib>

#include "base/log.h"
#include "codec/json.h"
#include "keybroker/broker.h"
#include "keybroker/session.h"
#include "keybroker/session_store.h"

namespace coffer::keybroker {
namespace {

constexpr std::string_view nonce = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

struct Target {
  FixedClock clock{TimePoint{std::chrono::milliseconds{1767323045000}}};
  std::shared_ptr<storage::KeyValueStore> store = storage::make_memory_store();
  std::unique_ptr<Broker> broker;
  Session session = Session::open(SessionId::generate(crypto::system_random()), {.tee = "sample"},
                                  {.nonce = std::string{nonce}}, clock.now() + std::chrono::minutes{5});
  unsigned runs = 0;

  Target() {
    log::set_filter("off");
    Config config;
    config.attestation.kind = AttestationKind::builtin;
    config.coffer.allow_tees = {"sample", "sampledevice"};
    config.coffer.audit.max_records = 1;
    auto created = Broker::create(std::move(config), {.clock = &clock, .store = store});
    if (!created) std::abort();
    broker = *std::move(created);
  }
};

}  // namespace
}  // namespace coffer::keybroker

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer;
  static keybroker::Target target;
  if (size == 0) return 0;
  net::ServerRequest request;
  request.method = "POST";
  request.path = data[0] % 2 == 0 ? "/kbs/v0/auth" : "/kbs/v0/attest";
  request.body = to_bytes(ByteView{reinterpret_cast<const std::byte*>(data) + 1, size - 1});
  request.headers.set("Cookie", "kbs-session-id=" + target.session.id().text());
  keybroker::SessionStore sessions{target.store};
  (void)sessions.erase(target.session.id());
  if (!sessions.insert(target.session)) std::abort();
  const auto response = target.broker->handle(request);
  if (response.status != 200 && response.status != 401 && response.status != 413) std::abort();
  if (++target.runs % 256 == 0) {
    target.clock.advance(std::chrono::minutes{10});
    (void)target.broker->sweep();
    target.clock.set(target.session.expires() - std::chrono::minutes{5});
  }
  return 0;
}
