#include "firmware/remote_write/encoding.h"

#include <snappy.h>

#include "remote_write.pb.h"

namespace hearth::remote_write {

std::string Encode(const Batch& batch) {
  WriteRequest request;
  for (const Batch::Part& part : batch.parts) {
    TimeSeries* const series = request.add_timeseries();
    for (const auto& [name, value] : part.name->labels.pairs()) {
      Label* const label = series->add_labels();
      label->set_name(name);
      label->set_value(value);
    }
    for (const promql::Sample& recorded : part.samples) {
      Sample* const sample = series->add_samples();
      sample->set_value(part.name->Value(recorded.value));
      sample->set_timestamp(recorded.time_ms);
    }
  }
  const std::string plain = request.SerializeAsString();
  std::string body;
  snappy::Compress(plain.data(), plain.size(), &body);
  return body;
}

}  // namespace hearth::remote_write
