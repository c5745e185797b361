// Compiled with -mavx2 -mfma; called only where the processor has both.
#include <immintrin.h>

#include "engine/backend/cpu/kernels.h"

namespace hearth::engine::cpu {
namespace {

struct Vec {
  static constexpr int kLanes = 8;
  __m256 v;

  static Vec Zero() { return {_mm256_setzero_ps()}; }
  static Vec Broadcast(float value) { return {_mm256_set1_ps(value)}; }
  static Vec Load(const float* data) { return {_mm256_loadu_ps(data)}; }
  void Store(float* data) const { _mm256_storeu_ps(data, v); }
};

inline Vec operator+(Vec a, Vec b) { return {_mm256_add_ps(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm256_sub_ps(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm256_mul_ps(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm256_div_ps(a.v, b.v)}; }
inline Vec Fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
// Both return the second operand when one is NaN.
inline Vec VecMax(Vec a, Vec b) { return {_mm256_max_ps(a.v, b.v)}; }
inline Vec VecMin(Vec a, Vec b) { return {_mm256_min_ps(a.v, b.v)}; }
inline Vec Round(Vec a) {
  return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
inline float FirstLane(Vec a) { return _mm256_cvtss_f32(a.v); }

// 2^n for whole n in [-126, 127].
inline Vec PowerOfTwo(Vec n) {
  const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n.v), _mm256_set1_epi32(127));
  return {_mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23))};
}

inline Vec ZeroWhereBelow(Vec x, float bound, Vec value) {
  const __m256 below = _mm256_cmp_ps(x.v, _mm256_set1_ps(bound), _CMP_LT_OQ);
  return {_mm256_andnot_ps(below, value.v)};
}

inline void LoadPairs(const float* pairs, Vec& low, Vec& high) {
  const __m256i bits = _mm256_castps_si256(_mm256_loadu_ps(pairs));
  low.v = _mm256_castsi256_ps(_mm256_slli_epi32(bits, 16));
  high.v = _mm256_castsi256_ps(_mm256_and_si256(bits, _mm256_set1_epi32(-65536)));
}

inline float ReduceAdd(Vec a) {
  __m128 sum = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
  return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

inline float ReduceMax(Vec a) {
  __m128 max = _mm_max_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  max = _mm_max_ps(max, _mm_movehl_ps(max, max));
  return _mm_cvtss_f32(_mm_max_ss(max, _mm_movehdup_ps(max)));
}

}  // namespace
}  // namespace hearth::engine::cpu

#include "engine/backend/cpu/simd_kernels.h"

namespace hearth::engine::cpu {

const Kernels kAvx2Kernels = {"avx2", Linear, Attention, RmsNorm, SiluMul};

}  // namespace hearth::engine::cpu
