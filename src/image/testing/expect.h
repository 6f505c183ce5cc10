#pragma once

#include <gtest/gtest.h>

#include "image/error.h"

namespace coffer::image::testing {

// A Result has to fail with this code; its sentence is shown where it does not.
template <class T>
void expect_error(const Result<T>& result, ErrorCode code) {
  ASSERT_FALSE(result) << "expected " << code.name();
  EXPECT_EQ(result.error().code, code) << to_string(result.error());
}

template <class T>
void expect_success(const Result<T>& result) {
  EXPECT_TRUE(result) << to_string(result.error());
}

}  // namespace coffer::image::testing
