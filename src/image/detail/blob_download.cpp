#include "image/detail/blob_download.h"

#include <algorithm>

namespace coffer::image {
namespace {

constexpr std::size_t max_error_body = 64U << 10;
// A connection that brought this much starts the count of attempts anew: slow lines may take many.
constexpr std::uint64_t progress_resets_from = 1U << 20;

// One connection's part of the blob.
class Part final : public net::BodySink {
 public:
  Part(std::uint64_t done, ByteSink& sink) : start_(done), sink_(sink) {}

  Result<> on_head(const net::HttpResponse& head) override {
    status_ = head.status;
    if (status_ == 206) return check_range(head);
    // A server that does not know Range begins at the start: what is there already is passed over.
    if (status_ == 200) skip_ = start_;
    return {};
  }

  Result<> on_data(ByteView data) override {
    if (status_ != 200 && status_ != 206) {
      const auto room = max_error_body - std::min(max_error_body, error_body_.size());
      error_body_.insert(error_body_.end(), data.begin(),
                         data.begin() + static_cast<std::ptrdiff_t>(std::min(room, data.size())));
      return {};
    }
    const auto skipped = std::min<std::uint64_t>(skip_, data.size());
    skip_ -= skipped;
    data = data.subspan(skipped);
    if (data.empty()) return {};
    delivered_ += data.size();
    auto result = sink_.write(data);
    sink_failed_ = !result;
    return result;
  }

  std::uint64_t delivered() const { return delivered_; }
  bool sink_failed() const { return sink_failed_; }
  Bytes take_error_body() { return std::move(error_body_); }

 private:
  Result<> check_range(const net::HttpResponse& head) const {
    const auto range = head.headers.get("Content-Range").value_or("");
    if (range.starts_with("bytes " + std::to_string(start_) + "-")) return {};
    return fail(ImageError::registry_protocol, "the registry sends another part of the blob than was asked for");
  }

  std::uint64_t start_;
  std::uint64_t skip_ = 0, delivered_ = 0;
  int status_ = 0;
  bool sink_failed_ = false;
  Bytes error_body_;
  ByteSink& sink_;
};

net::HttpRequest request_from(const RegistrySession& session, const Descriptor& blob, std::uint64_t offset) {
  net::HttpRequest request{.url = session.url("blobs/" + blob.digest.text())};
  if (offset > 0) request.headers.set("Range", "bytes=" + std::to_string(offset) + "-");
  return request;
}

Error incomplete(const Descriptor& blob, std::uint64_t done, const std::string& why) {
  return {ImageError::incomplete, "the transfer of the blob " + blob.digest.text() + " broke off after " +
                                      std::to_string(done) + " of " + std::to_string(blob.size) + " bytes: " + why};
}

// What one connection came to: done, an error that stands, or one that another connection may mend.
struct Outcome {
  Result<> result{};
  std::optional<Duration> pause{};
};

Outcome judge(const Result<net::HttpResponse>& response, Part& part, const Descriptor& blob, std::uint64_t done,
              net::Retry& retry) {
  if (!response) {
    const auto pause = part.sink_failed() ? std::nullopt : retry.after(response.error());
    const bool broke_off = done > 0 && response.error().code.name().starts_with("net.");
    return {fail(broke_off ? incomplete(blob, done, response.error().message) : response.error()), pause};
  }
  if (response->status != 200 && response->status != 206) {
    auto copy = *response;
    copy.body = part.take_error_body();
    return {check_status(copy, "the blob " + blob.digest.text()), retry.after(response)};
  }
  if (done >= blob.size) return {};
  const Error early{net::NetError::unreachable, "the registry closed the connection"};
  return {fail(incomplete(blob, done, early.message)), retry.after(early)};
}

}  // namespace

Result<> download_blob(RegistrySession& session, const Descriptor& blob, ByteSink& sink) {
  std::uint64_t done = 0;
  std::optional<net::Retry> retry{session.new_retry(true)};
  while (true) {
    Part part{done, sink};
    const auto response = session.stream_once(request_from(session, blob, done), part);
    done += part.delivered();
    if (part.delivered() >= progress_resets_from) retry.emplace(session.new_retry(true));
    auto outcome = judge(response, part, blob, done, *retry);
    if (outcome.result) return {};
    if (!outcome.pause) return fail(with_registry(std::move(outcome.result).error(), session));
    net::sleep_for(*outcome.pause);
  }
}

}  // namespace coffer::image
