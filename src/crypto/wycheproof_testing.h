// Runs the vectors of one Wycheproof file and accounts for each of them.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "codec/json.h"

namespace coffer::crypto::wycheproof {

struct Vector {
  const codec::json::Value& group;
  const codec::json::Value& test;

  // The bytes of a member in hex, of the test or, with a pointer such as "/publicKey/pk", of its group. A member that
  // is absent fails the test.
  Bytes hex(std::string_view name) const;
  Bytes group_hex(std::string_view pointer) const;
  std::int64_t number(std::string_view name) const;
  std::int64_t group_number(std::string_view name) const;
};

enum class Verdict { accepted, rejected };
struct Skipped {
  std::string reason;
};
using Outcome = std::variant<Verdict, Skipped>;

inline Outcome accepted_if(bool condition) {
  return condition ? Verdict::accepted : Verdict::rejected;
}

// Holds each verdict against the file's own, prints how many ran and how many were skipped for which reason, and fails
// where the counts do not add up or nothing ran. Vectors whose result is "acceptable" are skipped: either answer is
// right.
void run_file(const std::string& name, const std::function<Outcome(const Vector&)>& decide);

}  // namespace coffer::crypto::wycheproof
