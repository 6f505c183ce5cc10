// How a verifying stage passes bytes on. An error that bad content causes downstream is held back until the stage's own
// verdict: when the MAC or digest is wrong, that is the reason, and "bad gzip" only its shadow.
#pragma once

#include "image/byte_sink.h"

namespace coffer::image {

// True for errors that tampered or wrongly decrypted bytes cause by themselves.
bool is_content_error(const Error& error);

class Forward {
 public:
  explicit Forward(ByteSink& next) : next_(next) {}

  // Content errors are kept, and later bytes dropped; other errors are returned at once.
  Result<> write(ByteView data);
  // The kept error, or the next stage's finish(). Call it only after the own verdict held.
  Result<> finish();

 private:
  ByteSink& next_;
  Result<> kept_{};
};

}  // namespace coffer::image
