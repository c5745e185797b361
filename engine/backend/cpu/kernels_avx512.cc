// Compiled with -mavx512f; called only where the processor has it.
#include <immintrin.h>

#include "engine/backend/cpu/kernels.h"

namespace hearth::engine::cpu {
namespace {

struct Vec {
  static constexpr int kLanes = 16;
  __m512 v;

  static Vec Zero() { return {_mm512_setzero_ps()}; }
  static Vec Broadcast(float value) { return {_mm512_set1_ps(value)}; }
  static Vec Load(const float* data) { return {_mm512_loadu_ps(data)}; }
  void Store(float* data) const { _mm512_storeu_ps(data, v); }
};

inline Vec operator+(Vec a, Vec b) { return {_mm512_add_ps(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm512_div_ps(a.v, b.v)}; }
inline Vec Fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
// Both return the second operand when one is NaN.
inline Vec VecMax(Vec a, Vec b) { return {_mm512_max_ps(a.v, b.v)}; }
inline Vec VecMin(Vec a, Vec b) { return {_mm512_min_ps(a.v, b.v)}; }
inline Vec Round(Vec a) { return {_mm512_roundscale_ps(a.v, 0x08)}; }  // to nearest, no exception
inline float FirstLane(Vec a) { return _mm512_cvtss_f32(a.v); }

// 2^n for whole n in [-126, 127].
inline Vec PowerOfTwo(Vec n) {
  const __m512i exponent = _mm512_add_epi32(_mm512_cvtps_epi32(n.v), _mm512_set1_epi32(127));
  return {_mm512_castsi512_ps(_mm512_slli_epi32(exponent, 23))};
}

inline Vec ZeroWhereBelow(Vec x, float bound, Vec value) {
  const __mmask16 below = _mm512_cmp_ps_mask(x.v, _mm512_set1_ps(bound), _CMP_LT_OQ);
  return {_mm512_mask_mov_ps(value.v, below, _mm512_setzero_ps())};
}

inline void LoadPairs(const float* pairs, Vec& low, Vec& high) {
  const __m512i bits = _mm512_loadu_si512(pairs);
  low.v = _mm512_castsi512_ps(_mm512_slli_epi32(bits, 16));
  high.v = _mm512_castsi512_ps(_mm512_and_si512(bits, _mm512_set1_epi32(-65536)));
}

inline float ReduceAdd(Vec a) { return _mm512_reduce_add_ps(a.v); }
inline float ReduceMax(Vec a) { return _mm512_reduce_max_ps(a.v); }

}  // namespace
}  // namespace hearth::engine::cpu

#include "engine/backend/cpu/simd_kernels.h"

namespace hearth::engine::cpu {

const Kernels kAvx512Kernels = {"avx512", Linear, Attention, RmsNorm, SiluMul};

}  // namespace hearth::engine::cpu
