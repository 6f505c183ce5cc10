#include "crypto/wycheproof_testing.h"

#include <gtest/gtest.h>

#include <iostream>
#include <map>

#include "codec/base64.h"
#include "testing/vectors.h"

namespace coffer::crypto::wycheproof {
namespace {

namespace json = codec::json;

Bytes hex_at(const json::Value& parent, const std::string& pointer) {
  const auto* member = parent.at_pointer(pointer);
  const auto* text = member != nullptr ? member->if_string() : nullptr;
  if (text == nullptr) {
    ADD_FAILURE() << "no string at " << pointer;
    return {};
  }
  auto bytes = codec::hex_decode(*text);
  EXPECT_TRUE(bytes) << pointer;
  return bytes ? *std::move(bytes) : Bytes{};
}

std::int64_t number_at(const json::Value& parent, std::string_view name) {
  const auto* member = parent.find(name);
  const auto value = member != nullptr ? member->if_int64() : std::nullopt;
  EXPECT_TRUE(value) << "no number " << name;
  return value.value_or(0);
}

std::string text_of(const json::Value& parent, std::string_view name) {
  const auto* member = parent.find(name);
  const auto* text = member != nullptr ? member->if_string() : nullptr;
  return text != nullptr ? *text : std::string{};
}

struct Tally {
  std::size_t run = 0;
  std::map<std::string, std::size_t> skipped;

  std::size_t total() const {
    auto sum = run;
    for (const auto& [reason, count] : skipped) sum += count;
    return sum;
  }
  void print(const std::string& name) const {
    std::cout << "wycheproof " << name << ": " << run << " run, " << total() - run << " skipped";
    for (const auto& [reason, count] : skipped) std::cout << "; " << count << " " << reason;
    std::cout << "\n";
  }
};

void run_vector(const Vector& vector, const std::function<Outcome(const Vector&)>& decide, Tally& tally) {
  const auto expected = text_of(vector.test, "result");
  if (expected == "acceptable") {
    ++tally.skipped["acceptable either way"];
    return;
  }
  const auto outcome = decide(vector);
  if (const auto* skip = std::get_if<Skipped>(&outcome)) {
    ++tally.skipped[skip->reason];
    return;
  }
  ++tally.run;
  ASSERT_TRUE(expected == "valid" || expected == "invalid") << expected;
  EXPECT_EQ(std::get<Verdict>(outcome) == Verdict::accepted, expected == "valid")
      << "tcId " << number_at(vector.test, "tcId") << ": " << text_of(vector.test, "comment");
}

}  // namespace

Bytes Vector::hex(std::string_view name) const {
  return hex_at(test, "/" + std::string{name});
}
Bytes Vector::group_hex(std::string_view pointer) const {
  return hex_at(group, std::string{pointer});
}
std::int64_t Vector::number(std::string_view name) const {
  return number_at(test, name);
}
std::int64_t Vector::group_number(std::string_view name) const {
  return number_at(group, name);
}

void run_file(const std::string& name, const std::function<Outcome(const Vector&)>& decide) {
  const auto file = json::parse(testing::read_vector("wycheproof/" + name + "_test.json"));
  ASSERT_TRUE(file) << to_string(file.error());
  const auto* groups = file->find("testGroups");
  ASSERT_TRUE(groups != nullptr && groups->if_array() != nullptr);
  Tally tally;
  for (const auto& group : *groups->if_array()) {
    const auto* tests = group.find("tests");
    ASSERT_TRUE(tests != nullptr && tests->if_array() != nullptr);
    for (const auto& test : *tests->if_array()) run_vector({group, test}, decide, tally);
  }
  tally.print(name);
  EXPECT_GT(tally.run, 0U);
  EXPECT_EQ(tally.total(), static_cast<std::size_t>(number_at(*file, "numberOfTests")));
}

}  // namespace coffer::crypto::wycheproof
