// What the .cpp files that call coffer_native.h share: views in, buffers out, statuses as errors.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "native_buffer.h"
#include "wasm/error.h"

namespace coffer::wasm::detail {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

using native::Buffer;
using native::bytes_of;
using native::view_of;

// `status` is a coffer_wasm_status; `text` what the engine said, which may be the guest's own words.
std::unexpected<Error> failure(std::int32_t status, std::string_view text);

// "name\tvalue\n" each.
HeaderList headers_of(std::string_view lines);
std::string lines_of(const HeaderList& headers);

}  // namespace coffer::wasm::detail
