#pragma once

#include "image/store.h"

namespace coffer::image {

// What the document says that it is, else what the transport says, else by its shape. unsupported_media_type where all
// three are silent.
Result<std::string> manifest_type(ByteView content, std::string_view transport_type);

}  // namespace coffer::image
