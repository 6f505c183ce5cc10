#include <algorithm>

#include "codec/json.h"

namespace coffer::codec::json {

Object::Object() = default;
Object::Object(std::initializer_list<Member> members) : members_(members) {}
Object::~Object() = default;
Object::Object(const Object&) = default;
Object::Object(Object&&) noexcept = default;
Object& Object::operator=(const Object&) = default;
Object& Object::operator=(Object&&) noexcept = default;

const Value* Object::find(std::string_view key) const {
  for (const auto& [name, value] : members_) {
    if (name == key) return &value;
  }
  return nullptr;
}

Value* Object::find(std::string_view key) {
  for (auto& [name, value] : members_) {
    if (name == key) return &value;
  }
  return nullptr;
}

Value& Object::set(std::string_view key, Value value) {
  if (auto* existing = find(key)) return *existing = std::move(value);
  return append(std::string{key}, std::move(value));
}

Value& Object::append(std::string key, Value value) {
  return members_.emplace_back(std::move(key), std::move(value)).second;
}

bool Object::erase(std::string_view key) {
  return std::erase_if(members_, [&](const Member& member) { return member.first == key; }) > 0;
}

std::size_t Object::size() const {
  return members_.size();
}
const Object::Member* Object::begin() const {
  return members_.data();
}
const Object::Member* Object::end() const {
  return members_.data() + members_.size();
}
Object::Member* Object::begin() {
  return members_.data();
}
Object::Member* Object::end() {
  return members_.data() + members_.size();
}

bool operator==(const Object& a, const Object& b) {
  if (a.size() != b.size()) return false;
  return std::all_of(a.begin(), a.end(), [&](const Object::Member& member) {
    const auto* other = b.find(member.first);
    return other != nullptr && *other == member.second;
  });
}

}  // namespace coffer::codec::json
