#include "image/detail/blob_upload.h"

#include <algorithm>

#include "net/url.h"

namespace coffer::image {
namespace {

using Access = RegistrySession::Access;

// Uploads of a chunk take as long as the line is slow.
constexpr Duration chunk_timeout = std::chrono::minutes{10};

}  // namespace

BlobUpload::~BlobUpload() {
  if (committed_ || location_.empty()) return;
  static_cast<void>(
      session_->send({.method = "DELETE", .url = location_, .timeout = std::chrono::seconds{5}}, Access::push));
}

Result<> BlobUpload::take_location(const net::HttpResponse& response) {
  const auto location = response.headers.get("Location");
  if (!location)
    return fail(ImageError::registry_protocol, "the registry accepts an upload and gives no Location for it");
  location_ = TRY(session_->resolve(*location));
  return {};
}

Result<> BlobUpload::begin() {
  const auto response = TRY(session_->send({.method = "POST", .url = session_->url("blobs/uploads/")}, Access::push));
  TRY(check_status(response, "beginning an upload to " + session_->reference().text()));
  return take_location(response);
}

Result<> BlobUpload::write(ByteView data) {
  const auto limit = session_->options().upload_chunk_size;
  while (!data.empty()) {
    if (chunk_.size() == limit) TRY(send_chunk());
    const auto size = std::min(limit - chunk_.size(), data.size());
    chunk_.insert(chunk_.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(size));
    data = data.subspan(size);
  }
  return {};
}

Result<> BlobUpload::send_chunk() {
  if (location_.empty()) TRY(begin());
  net::HttpRequest request{.method = "PATCH", .url = location_, .timeout = chunk_timeout};
  request.headers.set("Content-Type", "application/octet-stream");
  request.headers.set("Content-Range", std::to_string(sent_) + "-" + std::to_string(sent_ + chunk_.size() - 1));
  request.body = std::move(chunk_);
  sent_ += request.body.size();
  chunk_ = Bytes{};
  const auto response = TRY(session_->send(std::move(request), Access::push));
  TRY(check_status(response, "uploading a part to " + session_->reference().text()));
  return take_location(response);
}

Result<> BlobUpload::commit(const Digest& digest) {
  // Some registries take no body with the closing PUT of an upload in chunks.
  if (!location_.empty() && !chunk_.empty()) TRY(send_chunk());
  if (location_.empty()) TRY(begin());
  const auto separator = location_.find('?') == std::string::npos ? "?" : "&";
  net::HttpRequest request{.method = "PUT",
                           .url = location_ + separator + "digest=" + net::percent_encode(digest.text()),
                           .timeout = chunk_timeout};
  request.headers.set("Content-Type", "application/octet-stream");
  request.body = std::move(chunk_);
  const auto response = TRY(session_->send(std::move(request), Access::push));
  TRY(check_status(response, "storing the blob " + digest.text()));
  committed_ = true;
  return {};
}

}  // namespace coffer::image
