// Small numbers in the order in which they were last used.
#pragma once

#include <utility>
#include <vector>

#include "base/check.h"

namespace hearth::engine {

// A doubly linked list of the items [0, capacity), each in it at most once. Everything but the
// constructor is O(1) and allocates nothing.
class LruList {
 public:
  explicit LruList(int capacity)
      : links_(static_cast<size_t>(capacity) + 1), end_(capacity) {
    at(end_) = {end_, end_};
  }

  int size() const { return size_; }
  bool Contains(int item) const { return at(item).next != kNotInList; }

  // From the least recently used to the end: for (i = First(); i != End(); i = Next(i)).
  int First() const { return at(end_).next; }
  int Next(int item) const { return at(item).next; }
  int End() const { return end_; }

  // As the most recently used.
  void PushBack(int item) {
    CHECK(!Contains(item)) << item;
    const int last = at(end_).previous;
    at(item) = {last, end_};
    at(last).next = item;
    at(end_).previous = item;
    ++size_;
  }

  void Remove(int item) {
    CHECK(Contains(item)) << item;
    const Link link = std::exchange(at(item), Link{});
    at(link.previous).next = link.next;
    at(link.next).previous = link.previous;
    --size_;
  }

 private:
  static constexpr int kNotInList = -1;
  struct Link {
    int previous = kNotInList;
    int next = kNotInList;
  };
  Link& at(int item) { return links_[static_cast<size_t>(item)]; }
  const Link& at(int item) const { return links_[static_cast<size_t>(item)]; }

  std::vector<Link> links_;  // the last one is the end, which closes the ring
  const int end_;
  int size_ = 0;
};

}  // namespace hearth::engine
