// No lock is held while evidence is verified: appraisals that wait for each other inside the verifier all get there.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

#include "appraisal/builtin_service.h"
#include "base/byte_reader.h"
#include "base/file_descriptor.h"
#include "testing/temporary_directory.h"

namespace coffer::appraisal {
namespace {

namespace json = codec::json;
using namespace std::chrono_literals;

constexpr unsigned appraisals = 4;

// An external verifier (docs/tees/external.md) that answers nobody before all have asked. Whoever is alone for too long
// is refused.
class MeetingPoint {
 public:
  explicit MeetingPoint(const std::filesystem::path& path)
      : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_.get(), appraisals), 0);
    for (auto& thread : threads_) thread = std::jthread{[this] { serve(); }};
  }
  ~MeetingPoint() { ::shutdown(listener_.get(), SHUT_RDWR); }
  unsigned most_at_once() {
    const std::scoped_lock lock{mutex_};
    return inside_;
  }

 private:
  void serve() {
    const FileDescriptor connection{::accept(listener_.get(), nullptr, nullptr)};
    if (!connection) return;
    const auto size = receive(connection.get(), 4);
    const auto request = receive(connection.get(), ByteReader{size}.u32_be("length").value_or(0));
    const auto text = meet() ? answer(as_text(request)) : std::string{};
    ByteWriter frame;
    frame.u32_be(static_cast<std::uint32_t>(text.size())).bytes(as_bytes(text));
    ::send(connection.get(), frame.view().data(), frame.view().size(), MSG_NOSIGNAL);
  }

  static Bytes receive(int from, std::size_t size) {
    Bytes out(size);
    const auto got = ::recv(from, out.data(), out.size(), MSG_WAITALL);
    out.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return out;
  }

  bool meet() {
    std::unique_lock lock{mutex_};
    ++inside_;
    met_.notify_all();
    return met_.wait_for(lock, 4s, [this] { return inside_ == appraisals; });
  }

  static std::string answer(std::string_view request) {
    const auto asked = json::parse(request).value();
    return json::serialize(json::Object{
        {"version", 1},
        {"id", *asked.find("id")},
        {"type", "acme"},
        {"result", json::Object{{"claims", json::Object{}}, {"report_data", *asked.find("report_data")}}}});
  }

  FileDescriptor listener_;
  std::mutex mutex_;
  std::condition_variable met_;
  unsigned inside_ = 0;
  std::array<std::jthread, appraisals> threads_;
};

EvaluationRequest external_request() {
  const json::Object key{{"kty", "EC"},
                         {"crv", "P-256"},
                         {"alg", "ECDH-ES+A256KW"},
                         {"x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"},
                         {"y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}};
  const auto runtime = evidence::RuntimeData::create("nonce", key).value();
  json::Value evidence = json::Object{{"type", "acme"}, {"evidence", json::Object{}}};
  return rcar_evaluation(evidence::TeeKind::external, std::move(evidence), runtime, std::nullopt).value();
}

TEST(Concurrency, appraisals_that_wait_for_each_other_are_inside_at_once) {
  const TemporaryDirectory directory;
  const auto socket = directory.path() / "s";
  MeetingPoint verifier{socket};
  evidence::RegistryOptions options;
  options.verifier.config = {
      {"external_verifier", json::Object{{"acme", json::Object{{"socket", socket.string()}, {"timeout_ms", 8000}}}}}};
  const auto registry = std::make_shared<const evidence::Registry>(evidence::Registry::create(options).value());
  const auto service =
      BuiltinAttestationService::create({.store = storage::make_memory_store(), .registry = registry}).value();
  {
    std::array<std::jthread, appraisals> guests;
    for (auto& guest : guests) {
      guest = std::jthread{[&] {
        const auto outcome = service->evaluate(external_request());
        EXPECT_TRUE(outcome) << to_string(outcome.error());
      }};
    }
  }
  EXPECT_EQ(verifier.most_at_once(), appraisals);
}

}  // namespace
}  // namespace coffer::appraisal
