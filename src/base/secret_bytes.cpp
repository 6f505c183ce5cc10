#include "base/secret_bytes.h"

#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace coffer {
namespace {

// Large secrets get pages of their own, so that they can be locked and kept out of core dumps. Small ones would
// exhaust RLIMIT_MEMLOCK a page at a time; they live on the heap, and forbid_core_dumps() covers them.
constexpr std::size_t own_pages_from = std::size_t{64} * 1024;

std::size_t round_to_pages(std::size_t size) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return (size + page - 1) / page * page;
}

}  // namespace

bool constant_time_equal(ByteView a, ByteView b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |= std::to_integer<unsigned>(a[i] ^ b[i]);
    asm volatile("" : "+r"(difference));  // keeps the loop free of an early exit
  }
  return difference == 0;
}

void wipe(MutableByteView memory) {
  if (!memory.empty()) ::explicit_bzero(memory.data(), memory.size());
}

SecretBytes::SecretBytes(std::size_t size) : size_(size) {
  if (size == 0) return;
  if (size >= own_pages_from) {
    const auto length = round_to_pages(size);
    void* pages = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) throw std::bad_alloc();
    ::madvise(pages, length, MADV_DONTDUMP);
    ::mlock(pages, length);  // best effort: the limit on locked memory is often small
    data_ = static_cast<std::byte*>(pages);
    mapped_ = length;
    return;
  }
  data_ = static_cast<std::byte*>(::operator new(size));
  std::memset(data_, 0, size);
}

SecretBytes SecretBytes::copy_of(ByteView source) {
  SecretBytes secret(source.size());
  std::ranges::copy(source, secret.data_);
  return secret;
}

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      mapped_(std::exchange(other.mapped_, 0)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this != &other) {
    release();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    mapped_ = std::exchange(other.mapped_, 0);
  }
  return *this;
}

SecretBytes::~SecretBytes() {
  release();
}

void SecretBytes::truncate(std::size_t size) {
  if (size >= size_) return;
  wipe(mutable_expose().subspan(size));
  size_ = size;
}

void SecretBytes::release() noexcept {
  if (data_ == nullptr) return;
  wipe({data_, size_});
  if (mapped_ != 0) {
    ::munmap(data_, mapped_);
  } else {
    ::operator delete(data_);
  }
  data_ = nullptr;
  size_ = mapped_ = 0;
}

}  // namespace coffer
