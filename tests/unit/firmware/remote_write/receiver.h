// A receiver of remote writes without a network: decodes what a pusher sends and keeps it.
#pragma once

#include <gtest/gtest.h>
#include <snappy.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "firmware/remote_write/pusher.h"
#include "remote_write.pb.h"

namespace hearth::remote_write {

inline WriteRequest Decode(const std::string& body) {
  std::string plain;
  EXPECT_TRUE(snappy::Uncompress(body.data(), body.size(), &plain));
  WriteRequest request;
  EXPECT_TRUE(request.ParseFromString(plain));
  return request;
}

class Receiver {
 public:
  // By `name{label="value",...}` in the order they came.
  using Samples = std::vector<std::pair<int64_t, double>>;

  Pusher::Send send() {
    return [this](const std::string& body) { return Take(body); };
  }

  Delivery answer = {Delivery::Kind::kAcknowledged, "", "", 0};
  std::map<std::string, Samples> samples;
  std::vector<std::string> bodies;  // taken or not
  size_t largest = 0;               // samples of one request

 private:
  Delivery Take(const std::string& body) {
    bodies.push_back(body);
    if (answer.kind != Delivery::Kind::kAcknowledged) return answer;
    size_t count = 0;
    const WriteRequest request = Decode(body);
    for (const TimeSeries& series : request.timeseries()) {
      std::string name;
      std::string last;
      for (const Label& label : series.labels()) {
        EXPECT_LT(last, label.name()) << "labels are sorted";
        last = label.name();
        name += label.name() + "=" + label.value() + ",";
      }
      Samples& kept = samples[name];
      for (const auto& sample : series.samples()) {
        if (!kept.empty()) {
          EXPECT_GT(sample.timestamp(), kept.back().first) << name;
        }
        kept.emplace_back(sample.timestamp(), sample.value());
        ++count;
      }
    }
    largest = std::max(largest, count);
    return answer;
  }
};

}  // namespace hearth::remote_write
