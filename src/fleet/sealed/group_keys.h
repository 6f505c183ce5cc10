// The secrets that the members of a fleet share, newest first. As a key broker's resource and as a manager's file:
// {"keys":[{"id":"20260102T030405Z-1f2e3d4c","secret":"<32 bytes in base64url>","active_at":"2026-01-02T03:20:05Z"}]}
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/secret_bytes.h"
#include "crypto/random.h"
#include "fleet/sealed/error.h"

namespace coffer::fleet::sealed {

struct GroupKey {
  std::string id;  // letters, digits, '-', '_' and '.', at most 64
  SecretBytes secret;
  // From when on it seals; it opens as soon as it is listed. Absent: from ever.
  std::optional<TimePoint> active_at{};
};

class GroupKeys {
 public:
  static constexpr std::size_t secret_size = 32;
  static constexpr std::size_t max_keys = 16;

  // SealedError::bad_key_list, which names what and where, and no secret.
  static Result<GroupKeys> parse(ByteView document);
  // One new key.
  static GroupKeys create(TimePoint now, crypto::RandomSource& random = crypto::system_random());
  SecretBytes document() const;

  std::span<const GroupKey> all() const { return keys_; }
  const GroupKey* find(std::string_view id) const;
  // The newest that is active: what is sent is sealed with it. Null where none is yet.
  const GroupKey* sending(TimePoint now) const;

  // Puts a new key to the front, which seals from `active_at` on, and drops what is older than the one that seals now.
  // That one still opens what is under way until the next rotation.
  void rotate(TimePoint now, TimePoint active_at, crypto::RandomSource& random = crypto::system_random());

 private:
  std::vector<GroupKey> keys_;
};

}  // namespace coffer::fleet::sealed
