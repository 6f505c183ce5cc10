#include "image/registry.h"

#include <algorithm>

#include "codec/json.h"
#include "image/detail/blob_download.h"
#include "image/detail/blob_upload.h"
#include "image/detail/manifest_type.h"
#include "image/detail/registry_session.h"

namespace coffer::image {
namespace {

using Access = RegistrySession::Access;

constexpr std::size_t max_tag_pages = 100;
constexpr std::size_t max_tags = 100'000;

std::string accepted_manifests() {
  std::string out;
  for (const auto type :
       {media_type::oci_manifest, media_type::oci_index, media_type::docker_manifest, media_type::docker_list}) {
    out += (out.empty() ? "" : ", ") + std::string{type};
  }
  return out;
}

Error too_large_as_limit(Error error) {
  if (error.code == ErrorCode{net::NetError::too_large}) {
    return {ImageError::limit_exceeded,
            "the manifest is over the limit of " + std::to_string(max_manifest_size) + " bytes"};
  }
  return error;
}

// RFC 8288: <url>; rel="next".
std::optional<std::string> next_page(const net::HttpResponse& response) {
  const auto link = response.headers.get("Link");
  if (!link || link->find("rel=\"next\"") == std::string_view::npos) return std::nullopt;
  const auto open = link->find('<');
  const auto close = link->find('>');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
  return std::string{link->substr(open + 1, close - open - 1)};
}

Result<> append_tags(const Bytes& page, std::vector<std::string>& out) {
  const auto document = codec::json::parse(as_text(page));
  const auto* tags = document ? document->find("tags") : nullptr;
  if (tags != nullptr && tags->is_null()) return {};
  if (tags == nullptr || !tags->is_array()) {
    return fail(ImageError::registry_protocol, "the registry's list of tags does not parse");
  }
  for (const auto& tag : *tags->if_array()) {
    if (tag.is_string()) out.push_back(*tag.if_string());
    if (out.size() > max_tags) return fail(ImageError::limit_exceeded, "the repository has over 100000 tags");
  }
  return {};
}

}  // namespace

struct Registry::Impl {
  std::shared_ptr<RegistrySession> session;
};

Registry::Registry(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Registry::~Registry() = default;

Result<std::unique_ptr<Registry>> Registry::open(ImageReference reference, RegistryOptions options) {
  auto session = TRY(RegistrySession::open(std::move(reference), std::move(options)));
  return std::unique_ptr<Registry>(new Registry(std::make_shared<Impl>(std::move(session))));
}

const ImageReference& Registry::reference() const {
  return impl_->session->reference();
}

std::string Registry::name() const {
  return reference().text();
}

namespace {

// `expected`: nothing where a tag is asked for.
Result<RawManifest> fetch_manifest(RegistrySession& session, const std::string& selector,
                                   const std::optional<Digest>& expected) {
  const auto& reference = session.reference();
  net::HttpRequest request{.url = session.url("manifests/" + selector), .max_response_size = max_manifest_size};
  request.headers.set("Accept", accepted_manifests());
  auto response = session.send(std::move(request), Access::pull);
  if (!response) return fail(too_large_as_limit(std::move(response).error()));
  TRY(check_status(*response, "the manifest of " + reference.host() + "/" + reference.repository() + " " + selector));
  if (expected) TRY(expected->verify(response->body, "the manifest of " + reference.text()));
  auto type = TRY(manifest_type(response->body, response->headers.get("Content-Type").value_or("")));
  auto actual = expected ? *expected : Digest::of(response->body);
  return RawManifest{std::move(type), std::move(response->body), std::move(actual)};
}

}  // namespace

Result<RawManifest> Registry::manifest(const std::optional<Digest>& digest) {
  const auto& expected = digest ? digest : reference().digest();
  return fetch_manifest(*impl_->session, digest ? digest->text() : reference().selector(), expected);
}

Result<RawManifest> Registry::tagged(const std::string& tag) {
  return fetch_manifest(*impl_->session, tag, std::nullopt);
}

Result<Index> Registry::referrers(const Digest& subject) {
  auto& session = *impl_->session;
  net::HttpRequest request{.url = session.url("referrers/" + subject.text()), .max_response_size = max_manifest_size};
  const auto response = TRY(session.send(std::move(request), Access::pull));
  if (response.status == 200) return Index::parse(response.body, media_type::oci_index);
  if (response.status != 404) TRY(check_status(response, "the referrers of " + subject.text()));
  // "If the referrers API returns a 404, the client MUST fallback to pulling the referrers tag schema."
  const auto listed = tagged(std::string{crypto::name_of(subject.algorithm())} + "-" + std::string{subject.hex()});
  if (listed && is_index(listed->media_type)) return Index::parse(listed->content, listed->media_type);
  if (listed || listed.error().code == ImageError::not_found) return ImageSource::referrers(subject);
  return std::unexpected(listed.error());
}

Result<> Registry::read_blob(const Descriptor& blob, ByteSink& sink) {
  return download_blob(*impl_->session, blob, sink);
}

Result<bool> Registry::has_blob(const Digest& digest) {
  auto& session = *impl_->session;
  const auto response =
      TRY(session.send({.method = "HEAD", .url = session.url("blobs/" + digest.text())}, Access::push));
  if (response.status == 404) return false;
  TRY(check_status(response, "the blob " + digest.text()));
  return true;
}

Result<std::unique_ptr<BlobWriter>> Registry::begin_blob() {
  return std::unique_ptr<BlobWriter>{std::make_unique<BlobUpload>(impl_->session)};
}

Result<> Registry::put_manifest(const RawManifest& manifest, bool tagged) {
  auto& session = *impl_->session;
  const auto& asked_for = reference().digest();
  if (tagged && asked_for && *asked_for != manifest.digest) {
    return fail(ImageError::digest_mismatch,
                "the image to push has digest " + manifest.digest.text() + ", and " + name() + " asks for another");
  }
  const auto selector = tagged && !reference().tag().empty() ? reference().tag() : manifest.digest.text();
  net::HttpRequest request{.method = "PUT", .url = session.url("manifests/" + selector), .body = manifest.content};
  request.headers.set("Content-Type", manifest.media_type);
  const auto response = TRY(session.send(std::move(request), Access::push));
  return check_status(response, "storing the manifest of " + name());
}

Result<std::vector<std::string>> Registry::tags() {
  auto& session = *impl_->session;
  std::vector<std::string> out;
  auto url = session.url("tags/list");
  for (std::size_t page = 0; page < max_tag_pages; ++page) {
    const auto response = TRY(session.send({.url = url}, Access::pull));
    TRY(check_status(response, "the tags of " + reference().repository()));
    TRY(append_tags(response.body, out));
    const auto next = next_page(response);
    if (!next) return out;
    url = TRY(session.resolve(*next));
  }
  return out;
}

}  // namespace coffer::image
