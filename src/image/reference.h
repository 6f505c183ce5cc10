// Names of images as users type them: "alpine", "docker.io/library/alpine:3.20", "localhost:5000/a/b@sha256:...",
// and "oci:DIR[:tag]" for a layout on disk.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <variant>

#include "image/digest.h"

namespace coffer::image {

class ImageReference {
 public:
  // Grammar of distribution's reference package. The host defaults to docker.io, "library/" is put before a single
  // name there, and the tag defaults to "latest" where there is no digest.
  static Result<ImageReference> parse(std::string_view text);

  const std::string& host() const { return host_; }              // "docker.io", "localhost:5000", "[::1]:5000"
  const std::string& repository() const { return repository_; }  // "library/alpine"
  const std::string& tag() const { return tag_; }                // empty where only a digest was given
  const std::optional<Digest>& digest() const { return digest_; }

  // What a manifest is asked for by: the digest, else the tag.
  std::string selector() const { return digest_ ? digest_->text() : tag_; }
  // "docker.io/library/alpine:latest", "host/name:tag@sha256:..."
  std::string text() const;
  // "host/name@sha256:...", what a run or audit record holds.
  std::string with_digest(const Digest& digest) const;

  // The machine that serves this host's images ("registry-1.docker.io" for docker.io).
  std::string registry_host() const;
  // localhost, 127.0.0.0/8 and ::1: plain HTTP unless told otherwise.
  bool is_loopback() const;

 private:
  ImageReference() = default;
  std::string host_, repository_, tag_;
  std::optional<Digest> digest_;
};

// "oci:DIR[:tag]": an OCI image layout. Without a tag the layout holds one image.
struct LayoutReference {
  std::filesystem::path directory;
  std::string tag{};
};

using AnyReference = std::variant<ImageReference, LayoutReference>;
// "oci:..." is a layout, "docker://..." and everything else a registry's image.
Result<AnyReference> parse_any_reference(std::string_view text);

}  // namespace coffer::image
