// What the .cpp files that call coffer_native.h share: views in, buffers out, statuses as errors.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "coffer_native.h"
#include "wasm/error.h"

namespace coffer::wasm::detail {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

coffer_view view_of(ByteView bytes);
coffer_view view_of(std::string_view text);
ByteView bytes_of(coffer_view view);
ByteView bytes_of(const coffer_buffer& buffer);

class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { coffer_buffer_free(buffer_); }

  coffer_buffer* out() { return &buffer_; }
  ByteView bytes() const { return bytes_of(buffer_); }

 private:
  coffer_buffer buffer_{nullptr, 0, 0};
};

// `status` is a coffer_wasm_status; `text` what the engine said, which may be the guest's own words.
std::unexpected<Error> failure(std::int32_t status, std::string_view text);

// "name\tvalue\n" each.
HeaderList headers_of(std::string_view lines);
std::string lines_of(const HeaderList& headers);

}  // namespace coffer::wasm::detail
