#include <gtest/gtest.h>

#include <tuple>

#include "engine/backend/cpu/packed_matrix.h"
#include "tests/unit/engine/backend/kernel_cases.h"

namespace hearth::engine::cpu {
namespace {

// A matrix [n][k] in `dtype` with its packed form and inputs for `rows` rows.
class LinearCase {
 public:
  LinearCase(int rows, int n, int k, DType dtype)
      : rows_(rows), n_(n), k_(k), x_(RandomFloats(static_cast<size_t>(rows * k), 1)) {
    weights_ = RandomFloats(static_cast<size_t>(n * k), 2);
    if (dtype == DType::kBFloat16) {
      for (float& weight : weights_) weight = BFloat16ToFloat(FloatToBFloat16(weight));
    }
    bias_ = RandomFloats(static_cast<size_t>(n), 3);
    ThreadPool pool(1);
    // Two parts, so that stacking is in every case.
    const int first = n / 3;
    const auto part = [&](int begin, int end) {
      return HostTensor{DType::kFloat32, end - begin, k_,
                        reinterpret_cast<const std::byte*>(weights_.data() + begin * k_)};
    };
    const std::vector<HostTensor> parts{part(0, first), part(first, n)};
    packed_.push_back(PackedMatrix::Pack(parts, dtype, pool).value());
  }

  const PackedMatrix& packed() const { return packed_[0]; }
  float weight(int output, int k) const { return weights_[static_cast<size_t>(output * k_ + k)]; }

  // Outputs [count][n] of rows [row, row + count).
  std::vector<float> Run(const Kernels& kernels, int row, int count) const {
    std::vector<float> y(static_cast<size_t>(count * n_), -1.0f);
    LinearArgs args;
    args.x = x_.data() + row * k_;
    args.x_stride = k_;
    args.num_rows = count;
    args.panels = packed().data();
    args.bf16 = packed().dtype() == DType::kBFloat16;
    args.k = k_;
    args.n = n_;
    args.bias = bias_.data();
    args.y = y.data();
    args.y_stride = n_;
    kernels.linear(args, 0, packed().num_panels());
    return y;
  }

  std::vector<double> Exact() const {
    std::vector<double> y;
    for (int row = 0; row < rows_; ++row) {
      for (int output = 0; output < n_; ++output) {
        double sum = bias_[static_cast<size_t>(output)];
        for (int k = 0; k < k_; ++k) {
          sum += double{x_[static_cast<size_t>(row * k_ + k)]} * double{weight(output, k)};
        }
        y.push_back(sum);
      }
    }
    return y;
  }

 private:
  int rows_, n_, k_;
  std::vector<float> x_, weights_, bias_;
  std::vector<PackedMatrix> packed_;
};

class LinearKernel : public testing::TestWithParam<std::tuple<DType, int>> {};

TEST_P(LinearKernel, IsAsExactAsThePlainOne) {
  const auto [dtype, n] = GetParam();
  const int k = 211;
  const LinearCase linear(27, n, k, dtype);
  const std::vector<double> exact = linear.Exact();
  const double plain = RmsError(linear.Run(kScalarKernels, 0, 27), exact);
  // Random walk of k roundings of partial sums up to sqrt(k): far below 1e-5, far above nothing.
  EXPECT_LT(plain, 1e-5);
  for (const Kernels* kernels : RunnableKernels()) {
    EXPECT_LE(RmsError(linear.Run(*kernels, 0, 27), exact), AllowedError(plain, std::sqrt(k)))
        << kernels->name;
  }
}

TEST_P(LinearKernel, GivesARowTheSameBitsWhateverIsBesideIt) {
  const auto [dtype, n] = GetParam();
  const int rows = 41;
  const LinearCase linear(rows, n, 300, dtype);
  for (const Kernels* kernels : RunnableKernels()) {
    std::vector<float> alone;
    for (int row = 0; row < rows; ++row) {
      const std::vector<float> y = linear.Run(*kernels, row, 1);
      alone.insert(alone.end(), y.begin(), y.end());
    }
    for (const int count : {2, 3, 5, 7, 12, 13, 24, 41}) {
      for (int row = 0; row + count <= rows; row += count) {
        const std::vector<float> together = linear.Run(*kernels, row, count);
        const std::vector<float> expected(alone.begin() + row * n,
                                          alone.begin() + (row + count) * n);
        ASSERT_EQ(together, expected) << kernels->name << " " << count << " rows from " << row;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, LinearKernel,
                         testing::Combine(testing::Values(DType::kBFloat16, DType::kFloat32),
                                          testing::Values(1, 31, 32, 33, 200, 288)));

TEST(PackedMatrix, ReadsBackEveryRow) {
  for (const DType dtype : {DType::kBFloat16, DType::kFloat32}) {
    const LinearCase linear(1, 77, 19, dtype);
    std::vector<float> row(19);
    for (int output = 0; output < 77; ++output) {
      linear.packed().ReadRow(output, row.data());
      for (int k = 0; k < 19; ++k) {
        ASSERT_EQ(row[static_cast<size_t>(k)], linear.weight(output, k)) << output << ", " << k;
      }
    }
  }
}

}  // namespace
}  // namespace hearth::engine::cpu
