// A pusher over a history under a clock that the test moves, and its receiver.
#pragma once

#include <memory>
#include <string>

#include "tests/unit/firmware/remote_write/receiver.h"
#include "tests/unit/storage/history_fixture.h"

namespace hearth::remote_write {

class PusherTest : public storage::HistoryTest {
 protected:
  // A new one, as after a start.
  void Start() {
    pusher_.reset();
    PusherOptions options;
    options.cursor_path = cursor_path();
    options.samples_max = samples_max_;
    pusher_ = std::make_unique<Pusher>(options, history_.get(), &names_, &clock_, receiver_.send());
  }
  // Steps until there is nothing to send; at most so often.
  void PushAll() {
    for (int i = 0; i < 100'000; ++i) {
      if (pusher_->Step() > 0) return;
    }
    FAIL() << "does not come to an end";
  }
  std::string cursor_path() const { return directory_ + "/remote_write.json"; }
  const Receiver::Samples& Received(const std::string& name) {
    return receiver_.samples["__name__=" + name + ","];
  }

  const PushedNames names_{metrics::ViewSet::Default(), promql::Labels()};
  size_t samples_max_ = 2000;
  Receiver receiver_;
  std::unique_ptr<Pusher> pusher_;
};

}  // namespace hearth::remote_write
