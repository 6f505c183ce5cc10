// JSON documents that hold keys.
#pragma once

#include <utility>

#include "codec/json.h"

namespace coffer::codec::json {

// Overwrites the texts and numbers of the tree, which wipe nothing by themselves; names of members stay.
void wipe(Value& value);

// A document that is overwritten at its end, on every path.
class SecretDocument {
 public:
  explicit SecretDocument(Value value) : value_(std::move(value)) {}
  SecretDocument(const SecretDocument&) = delete;
  SecretDocument& operator=(const SecretDocument&) = delete;
  ~SecretDocument() { wipe(value_); }

  const Value& operator*() const { return value_; }
  const Value* operator->() const { return &value_; }

 private:
  Value value_;
};

}  // namespace coffer::codec::json
