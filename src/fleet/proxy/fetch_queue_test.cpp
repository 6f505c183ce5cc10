#include "fleet/proxy/fetch_queue.h"

#include <gtest/gtest.h>

#include <future>

namespace coffer::fleet::proxy {
namespace {

using Admission = FetchQueue::Admission;

TEST(FetchQueue, holds_each_image_once_and_no_more_than_allowed) {
  FetchQueue queue{2};
  EXPECT_EQ(queue.add("a"), Admission::queued);
  EXPECT_EQ(queue.add("a"), Admission::joined);
  EXPECT_EQ(queue.add("b"), Admission::queued);
  EXPECT_EQ(queue.add("c"), Admission::full);
  EXPECT_EQ(queue.waiting(), 2U);
  EXPECT_EQ(queue.take(), "a");
  EXPECT_EQ(queue.running(), 1U);
  EXPECT_EQ(queue.add("a"), Admission::joined);  // nothing sent yet
  EXPECT_EQ(queue.add("c"), Admission::queued);
}

TEST(FetchQueue, repeats_an_image_once_for_all_who_missed_its_beginning) {
  FetchQueue queue{2};
  queue.add("a");
  queue.take();
  queue.sending("a");
  EXPECT_EQ(queue.add("a"), Admission::repeated);
  EXPECT_EQ(queue.add("a"), Admission::repeated);
  queue.done("a");
  EXPECT_EQ(queue.waiting(), 1U);
  EXPECT_EQ(queue.take(), "a");
  queue.sending("a");
  queue.done("a");
  EXPECT_EQ(queue.waiting() + queue.running(), 0U);
  queue.done("a");  // nobody's
}

TEST(FetchQueue, wakes_who_takes_and_ends_when_closed) {
  FetchQueue queue{2};
  auto first = std::async(std::launch::async, [&] { return queue.take(); });
  queue.add("a");
  EXPECT_EQ(first.get(), "a");
  auto second = std::async(std::launch::async, [&] { return queue.take(); });
  queue.close();
  EXPECT_EQ(second.get(), std::nullopt);
  EXPECT_EQ(queue.add("b"), Admission::full);
}

}  // namespace
}  // namespace coffer::fleet::proxy
