#include <gtest/gtest.h>

#include "tests/unit/engine/backend/kernel_cases.h"

namespace hearth::engine::cpu {
namespace {

TEST(SiluMulKernel, IsWithinFourUnitsOfTheExactResult) {
  // Every size of argument that a gate can have, and the far ends where exp over- or underflows.
  std::vector<float> gate{0.0f,  -0.0f,   1e-30f, -88.0f, -87.3f,
                          88.9f, -200.0f, 200.0f, -3e38f, 3e38f};
  for (float x = -30.0f; x < 30.0f; x += 0.0137f) gate.push_back(x);
  const std::vector<float> up(gate.size(), 1.0f);
  std::vector<float> out(gate.size());
  for (const Kernels* kernels : RunnableKernels()) {
    kernels->silu_mul(gate.data(), up.data(), static_cast<int>(gate.size()), out.data());
    for (size_t i = 0; i < gate.size(); ++i) {
      const double x = gate[i];
      const double exact = x / (1.0 + std::exp(-x));
      // 1e-35: where e^-x leaves the range of a float the result is as good as zero.
      EXPECT_NEAR(out[i], exact, 4 * 0x1p-23 * std::abs(exact) + 1e-35)
          << kernels->name << " " << x;
    }
  }
}

TEST(SiluMulKernel, HandsOnNaN) {
  const float gate = std::nanf("");
  const float up = 1;
  for (const Kernels* kernels : RunnableKernels()) {
    float out = 0;
    kernels->silu_mul(&gate, &up, 1, &out);
    EXPECT_TRUE(std::isnan(out)) << kernels->name;
  }
}

TEST(RmsNormKernel, AddsTheDeltaAndNormalizes) {
  for (const int n : {1, 7, 16, 96, 901}) {
    const auto size = static_cast<size_t>(n);
    const std::vector<float> x = RandomFloats(size, 1);
    const std::vector<float> delta = RandomFloats(size, 2);
    const std::vector<float> weight = RandomFloats(size, 3);
    const float eps = 1e-6f;
    double squares = 0;
    for (size_t i = 0; i < size; ++i) {
      squares += (double{x[i]} + double{delta[i]}) * (double{x[i]} + double{delta[i]});
    }
    std::vector<double> exact;
    for (size_t i = 0; i < size; ++i) {
      exact.push_back((double{x[i]} + double{delta[i]}) / std::sqrt(squares / n + double{eps}) *
                      double{weight[i]});
    }
    for (const Kernels* kernels : RunnableKernels()) {
      std::vector<float> residual = x;
      std::vector<float> out(size);
      kernels->rms_norm(residual.data(), delta.data(), weight.data(), eps, n, out.data());
      for (size_t i = 0; i < size; ++i) {
        EXPECT_EQ(residual[i], x[i] + delta[i]);
        // Five roundings on the way beside those of the sum, which average out.
        EXPECT_NEAR(out[i], exact[i], 8 * 0x1p-24 * std::abs(exact[i]))
            << kernels->name << " " << n;
      }
    }
  }
}

TEST(RmsNormKernel, LeavesItsInputAloneWithoutADelta) {
  const std::vector<float> x = RandomFloats(50, 1);
  const std::vector<float> weight(50, 1.0f);
  for (const Kernels* kernels : RunnableKernels()) {
    std::vector<float> input = x;
    std::vector<float> out(50);
    kernels->rms_norm(input.data(), nullptr, weight.data(), 0.0f, 50, out.data());
    EXPECT_EQ(input, x);
    double squares = 0;
    for (const float value : out) squares += double{value} * double{value};
    EXPECT_NEAR(squares / 50, 1.0, 1e-6) << kernels->name;
  }
}

}  // namespace
}  // namespace hearth::engine::cpu
