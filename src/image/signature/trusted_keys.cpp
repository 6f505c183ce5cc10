#include "image/signature/trusted_keys.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "image/digest.h"

namespace coffer::image::signature {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view begin_mark = "-----BEGIN ", end_mark = "-----END ", dashes = "-----";
constexpr std::size_t max_file = 1U << 20;

struct Block {
  std::string_view label, text;
};

// The next block of PEM at or after `at`, which then stands behind it; an empty label at the end.
Result<Block> next_block(std::string_view pem, std::size_t& at, std::string_view what) {
  const auto begin = pem.find(begin_mark, at);
  if (begin == std::string_view::npos) return Block{};
  const auto label_at = begin + begin_mark.size();
  const auto label_end = pem.find(dashes, label_at);
  const auto end = pem.find(end_mark, label_at);
  const auto close = end == std::string_view::npos ? end : pem.find(dashes, end + end_mark.size());
  if (label_end == std::string_view::npos || close == std::string_view::npos || label_end > end) {
    return fail(ImageError::bad_signing_key, std::string{what} + " has a PEM block that does not end");
  }
  at = close + dashes.size();
  return Block{pem.substr(label_at, label_end - label_at), pem.substr(begin, at - begin)};
}

Result<std::string> read_file(const fs::path& path) {
  std::ifstream stream{path, std::ios::binary};
  std::string text{std::istreambuf_iterator<char>{stream}, {}};
  if (!stream || text.size() > max_file) {
    return fail(ImageError::bad_signing_key, path.string() + " is no file of public keys that can be read");
  }
  return text;
}

Result<std::vector<fs::path>> key_files(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return std::vector{path};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator{path, error}) {
    const auto extension = entry.path().extension();
    if (extension == ".pem" || extension == ".pub") files.push_back(entry.path());
  }
  if (error) return fail(ImageError::bad_signing_key, path.string() + " cannot be read: " + error.message());
  std::ranges::sort(files);
  if (!files.empty()) return files;
  return fail(ImageError::bad_signing_key,
              path.string() + " holds no *.pem or *.pub file, so nothing would be trusted");
}

}  // namespace

std::string describe(const crypto::PublicKey& key) {
  return std::string{crypto::name_of(key.kind())} + " " + Digest::of(key.to_spki_der()).text();
}

Result<> TrustedKeys::add(std::string_view pem, std::string_view what) {
  for (std::size_t at = 0;;) {
    const auto block = TRY(next_block(pem, at, what));
    if (block.label.empty()) return {};
    // A certificate is no key that is trusted for itself: nobody here would look at its dates and issuer.
    if (block.label != "PUBLIC KEY" && block.label != "RSA PUBLIC KEY") {
      return fail(ImageError::bad_signing_key, std::string{what} + " has a PEM block \"" + std::string{block.label} +
                                                   "\"; expected PUBLIC KEY, as in cosign.pub");
    }
    auto key = crypto::PublicKey::from_pem(block.text);
    if (!key) return fail(ImageError::bad_signing_key, std::string{what} + ": " + key.error().message);
    if (keys_.size() == max_keys) {
      return fail(ImageError::bad_signing_key, std::string{what} + ": more than 64 keys");
    }
    keys_.push_back(std::move(*key));
  }
}

Result<TrustedKeys> TrustedKeys::parse(std::string_view pem, std::string_view what) {
  TrustedKeys out;
  TRY(out.add(pem, what));
  if (!out.keys_.empty()) return out;
  return fail(ImageError::bad_signing_key, std::string{what} + " has no PEM block of a public key");
}

Result<TrustedKeys> TrustedKeys::load(const fs::path& path) {
  TrustedKeys out;
  for (const auto& file : TRY(key_files(path))) {
    const auto before = out.keys_.size();
    TRY(out.add(TRY(read_file(file)), file.string()));
    if (out.keys_.size() > before) continue;
    return fail(ImageError::bad_signing_key, file.string() + " has no PEM block of a public key");
  }
  return out;
}

std::string TrustedKeys::fingerprint() const {
  std::vector<std::string> names;
  for (const auto& key : keys_) names.push_back(describe(key));
  std::ranges::sort(names);
  std::string text;
  for (const auto& name : names) text += name + "\n";
  return Digest::of(as_bytes(text)).text();
}

}  // namespace coffer::image::signature
