// The file of a form (multipart/form-data, RFC 7578), as browsers, curl -F and upstream's command line send one.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "fleet/manager/error.h"

namespace coffer::fleet::manager {

struct FormFile {
  std::string name;  // as the client called it, without folders
  ByteView content;  // within the body
};

// The first part called `field` that has a file name. ManagerError::bad_request.
Result<FormFile> find_form_file(std::string_view content_type, ByteView body, std::string_view field);

}  // namespace coffer::fleet::manager
