#include "testing/vectors.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace coffer::testing {

std::optional<std::filesystem::path> vectors_directory() {
  const char* named = std::getenv("COFFER_VECTORS");
  const std::filesystem::path directory = named != nullptr ? named : COFFER_DEFAULT_VECTORS;
  if (!std::filesystem::is_directory(directory)) return std::nullopt;
  return directory;
}

std::string read_vector(std::string_view name) {
  const auto directory = vectors_directory();
  if (!directory) return {};
  std::ifstream file(*directory / name, std::ios::binary);
  if (!file) ADD_FAILURE() << "cannot read the vector " << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

Bytes read_vector_bytes(std::string_view name) {
  return to_bytes(read_vector(name));
}

}  // namespace coffer::testing
