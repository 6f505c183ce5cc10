#include "image/unpack/entry_path.h"

#include <algorithm>

#include "base/printable.h"

namespace coffer::image::unpack {
namespace {

constexpr std::size_t max_path = 4096;
constexpr std::size_t max_component = 255;
constexpr std::size_t max_depth = 256;  // removing a tree keeps a descriptor open for each level

std::unexpected<Error> bad(std::string_view path, std::string_view why) {
  return fail(ImageError::bad_path,
              "the archive has an entry \"" + printable(path, 200) + "\", which " + std::string{why});
}

}  // namespace

Result<std::string> clean_entry_path(std::string_view path) {
  if (path.empty()) return bad(path, "has no name");
  if (path.size() > max_path) return bad(path, "has a path of over 4096 bytes");
  if (path.starts_with('/')) return bad(path, "is absolute");
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
  if (std::ranges::any_of(path, control)) return bad(path, "has a control character in its name");
  if (static_cast<std::size_t>(std::ranges::count(path, '/')) >= max_depth)
    return bad(path, "lies over 256 levels deep");
  std::string out;
  for (auto rest = path; !rest.empty();) {
    const auto slash = rest.find('/');
    const auto part = rest.substr(0, slash);
    if (part == "..") return bad(path, "climbs with \"..\"");
    if (part.size() > max_component) return bad(path, "has a name of over 255 bytes");
    if (!part.empty() && part != ".") {
      if (!out.empty()) out += '/';
      out += part;
    }
    rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
  }
  return out;
}

std::string_view parent_of(std::string_view clean_path) {
  const auto slash = clean_path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : clean_path.substr(0, slash);
}

std::string_view name_of(std::string_view clean_path) {
  const auto slash = clean_path.rfind('/');
  return slash == std::string_view::npos ? clean_path : clean_path.substr(slash + 1);
}

}  // namespace coffer::image::unpack
