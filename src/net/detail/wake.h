// Wakes a thread that sleeps in poll(2): an eventfd.
#pragma once

#include "base/file_descriptor.h"

namespace coffer::net::detail {

class Wake {
 public:
  Wake();  // a system without descriptors left ends the program
  void ring() const;
  void clear() const;
  int fd() const { return fd_.get(); }

 private:
  FileDescriptor fd_;
};

}  // namespace coffer::net::detail
