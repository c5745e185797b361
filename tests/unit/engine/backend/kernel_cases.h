// What the tests of the kernels share: the tables this machine can run, and numbers to run them on.
#pragma once

#include <cmath>
#include <random>
#include <vector>

#include "engine/backend/cpu/kernels.h"

namespace hearth::engine::cpu {

inline std::vector<const Kernels*> RunnableKernels() {
  std::vector<const Kernels*> tables{&kScalarKernels};
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    tables.push_back(&kAvx2Kernels);
  }
  if (__builtin_cpu_supports("avx512f")) tables.push_back(&kAvx512Kernels);
#endif
  return tables;
}

inline std::vector<float> RandomFloats(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

// Root of the mean squared difference.
inline double RmsError(const std::vector<float>& values, const std::vector<double>& exact) {
  double sum = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    sum += (values[i] - exact[i]) * (values[i] - exact[i]);
  }
  return std::sqrt(sum / static_cast<double>(values.size()));
}

// A fast kernel may be at most 1.5 times as far from the exact result as the plain one, beside half
// a unit in the last place of results of size `magnitude`.
inline double AllowedError(double plain_error, double magnitude) {
  return 1.5 * plain_error + 0x1p-24 * magnitude;
}

}  // namespace hearth::engine::cpu
