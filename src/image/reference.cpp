#include "image/reference.h"

#include <algorithm>

#include "net/url.h"

namespace coffer::image {
namespace {

// distribution/reference, "NameTotalLengthMax", and tags of at most 128 characters.
constexpr std::size_t max_name_size = 255;
constexpr std::size_t max_tag_size = 128;
constexpr std::string_view default_host = "docker.io";

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
bool is_alphanumeric(char c) {
  return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::unexpected<Error> bad(std::string_view text, std::string_view why) {
  return fail(ImageError::bad_reference,
              "\"" + std::string{text.substr(0, 300)} + "\" is no image reference: " + std::string{why});
}

// [a-z0-9]+ joined by one '.', one or two '_', or any number of '-'.
bool is_path_component(std::string_view text) {
  if (text.empty() || !is_lower_or_digit(text.front()) || !is_lower_or_digit(text.back())) return false;
  for (std::size_t i = 0; i < text.size();) {
    if (is_lower_or_digit(text[i])) {
      ++i;
      continue;
    }
    const auto end = text.find_first_not_of(text[i], i);
    const auto run = end - i;
    const bool fits = text[i] == '-' || (text[i] == '.' && run == 1) || (text[i] == '_' && run <= 2);
    if (!fits || !is_lower_or_digit(text[end])) return false;
    i = end;
  }
  return true;
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 && std::ranges::all_of(text, is_digit) &&
         std::stoul(std::string{text}) <= 65535;
}

bool is_host_name(std::string_view text) {
  while (true) {
    const auto dot = text.find('.');
    const auto label = text.substr(0, dot);
    const bool fits = !label.empty() && is_alphanumeric(label.front()) && is_alphanumeric(label.back()) &&
                      std::ranges::all_of(label, [](char c) { return is_alphanumeric(c) || c == '-'; });
    if (!fits) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_host(std::string_view text) {
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos || close < 3) return false;
    const auto address = text.substr(1, close - 1);
    const auto after = text.substr(close + 1);
    const bool hex = std::ranges::all_of(address, [](char c) {
      return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
    });
    return hex && (after.empty() || (after.front() == ':' && is_port(after.substr(1))));
  }
  const auto colon = text.find(':');
  return is_host_name(text.substr(0, colon)) && (colon == std::string_view::npos || is_port(text.substr(colon + 1)));
}

bool is_tag(std::string_view text) {
  const auto word = [](char c) { return is_alphanumeric(c) || c == '_'; };
  return !text.empty() && text.size() <= max_tag_size && word(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return word(c) || c == '.' || c == '-'; });
}

bool is_repository(std::string_view text) {
  while (true) {
    const auto slash = text.find('/');
    if (!is_path_component(text.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    text.remove_prefix(slash + 1);
  }
}

// The part before the first slash is a host when it could not be a path component of Docker Hub.
bool looks_like_host(std::string_view first) {
  return first.find_first_of(".:[") != std::string_view::npos || first == "localhost" ||
         std::ranges::any_of(first, [](char c) { return c >= 'A' && c <= 'Z'; });
}

}  // namespace

Result<ImageReference> ImageReference::parse(std::string_view text) {
  ImageReference out;
  auto name = text;
  if (const auto at = name.find('@'); at != std::string_view::npos) {
    auto digest = Digest::parse(name.substr(at + 1));
    if (!digest) return bad(text, digest.error().message);
    out.digest_ = std::move(*digest);
    name = name.substr(0, at);
  }
  const auto slash = name.find('/');
  const bool has_host = slash != std::string_view::npos && looks_like_host(name.substr(0, slash));
  out.host_ = has_host ? name.substr(0, slash) : default_host;
  if (out.host_ == "index.docker.io" || out.host_ == "registry-1.docker.io") out.host_ = default_host;
  if (has_host) name.remove_prefix(slash + 1);
  if (const auto colon = name.find(':'); colon != std::string_view::npos) {
    out.tag_ = name.substr(colon + 1);
    if (!is_tag(out.tag_)) return bad(text, "a tag has 1 to 128 letters, digits, '_', '.', '-'");
    name = name.substr(0, colon);
  }
  if (!is_host(out.host_)) return bad(text, "its host is neither a name nor an address");
  if (!is_repository(name)) {
    return bad(text,
               "a repository has lower-case letters and digits, with '.', '_', '-' between them and '/' as divider");
  }
  const bool official = out.host_ == default_host && name.find('/') == std::string_view::npos;
  out.repository_ = (official ? "library/" : "") + std::string{name};
  if (out.host_.size() + 1 + out.repository_.size() > max_name_size)
    return bad(text, "its name has over 255 characters");
  if (out.tag_.empty() && !out.digest_) out.tag_ = "latest";
  return out;
}

std::string ImageReference::text() const {
  return host_ + "/" + repository_ + (tag_.empty() ? "" : ":" + tag_) + (digest_ ? "@" + digest_->text() : "");
}

std::string ImageReference::with_digest(const Digest& digest) const {
  return host_ + "/" + repository_ + "@" + digest.text();
}

std::string ImageReference::registry_host() const {
  return host_ == default_host ? "registry-1.docker.io" : host_;
}

bool ImageReference::is_loopback() const {
  const auto url = net::Url::parse("http://" + host_ + "/");
  return url && url->is_loopback();
}

Result<AnyReference> parse_any_reference(std::string_view text) {
  if (text.starts_with("oci:")) {
    const auto rest = text.substr(4);
    const auto colon = rest.rfind(':');
    const bool has_tag = colon != std::string_view::npos && rest.find('/', colon) == std::string_view::npos;
    LayoutReference layout{std::filesystem::path{rest.substr(0, has_tag ? colon : rest.size())},
                           std::string{has_tag ? rest.substr(colon + 1) : ""}};
    if (layout.directory.empty() || (has_tag && !is_tag(layout.tag))) {
      return bad(text, "a layout is oci:DIRECTORY or oci:DIRECTORY:TAG");
    }
    return layout;
  }
  if (text.starts_with("docker://")) text.remove_prefix(9);
  return TRY(ImageReference::parse(text));
}

}  // namespace coffer::image
