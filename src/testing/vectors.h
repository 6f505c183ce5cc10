// Published test vectors, read in place from COFFER_VECTORS (by default ../shared/vectors beside the project).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace coffer::testing {

// Where the vectors are, or nothing where they are absent: then the test says GTEST_SKIP() << missing_vectors.
std::optional<std::filesystem::path> vectors_directory();

inline constexpr std::string_view missing_vectors = "the vectors directory is absent; set COFFER_VECTORS";

// The content of vectors_directory()/name; a test failure and an empty string where it cannot be read.
std::string read_vector(std::string_view name);
Bytes read_vector_bytes(std::string_view name);

}  // namespace coffer::testing

// At the head of each test that reads vectors.
#define COFFER_REQUIRE_VECTORS() \
  if (!::coffer::testing::vectors_directory()) GTEST_SKIP() << ::coffer::testing::missing_vectors
