#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "base/log.h"

int main(int argc, char** argv) {
  ::testing::InitGoogleMock(&argc, argv);
  std::signal(SIGPIPE, SIG_IGN);
  coffer::log::init("test", coffer::log::Level::off);
  return RUN_ALL_TESTS();
}
