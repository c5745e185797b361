// The vector kernels, written once over `Vec`. Included by one file per instruction set, which
// defines Vec before; everything is in an unnamed namespace and uses no function of the standard
// library, so that no code of a newer instruction set is linked into what an older machine runs.
//
// Vec: kLanes floats (8 or 16). Reductions halve the vector, hence always add in the same order.

namespace hearth::engine::cpu {
namespace {

constexpr int kTileVecs = kKvTileTokens / Vec::kLanes;
// Accumulators that fit beside the operands: 24 of 32 registers, or 12 of 16.
constexpr int kMaxRows = Vec::kLanes == 16 ? 12 : 6;
constexpr int kMaxVectors = Vec::kLanes == 16 ? 8 : 4;

constexpr int Min(int a, int b) { return a < b ? a : b; }

// e^x to 1 ulp or so: x = n ln 2 + r, |r| <= ln 2 / 2, and the Taylor sum up to r^7 (the rest is
// below 6e-9). Below -87 the result is 0, as a softmax wants it. NaN stays NaN.
inline Vec Exp(Vec x) {
  const Vec clamped = VecMin(Vec::Broadcast(88.0f), VecMax(Vec::Broadcast(-87.0f), x));
  const Vec n = Round(clamped * Vec::Broadcast(1.44269504088896341f));
  // ln 2 in two parts: the first has few bits, so that n times it is exact.
  const Vec r =
      Fma(n, Vec::Broadcast(-1.42860682e-6f), Fma(n, Vec::Broadcast(-0.693145752f), clamped));
  Vec sum = Vec::Broadcast(1.0f / 5040);
  sum = Fma(sum, r, Vec::Broadcast(1.0f / 720));
  sum = Fma(sum, r, Vec::Broadcast(1.0f / 120));
  sum = Fma(sum, r, Vec::Broadcast(1.0f / 24));
  sum = Fma(sum, r, Vec::Broadcast(1.0f / 6));
  sum = Fma(sum, r, Vec::Broadcast(0.5f));
  sum = Fma(sum, r, Vec::Broadcast(1.0f));
  sum = Fma(sum, r, Vec::Broadcast(1.0f));
  return ZeroWhereBelow(x, -87.0f, sum * PowerOfTwo(n));
}

inline float ExpOne(float x) { return FirstLane(Exp(Vec::Broadcast(x))); }

inline Vec LoadSome(const float* data, int count) {
  if (count >= Vec::kLanes) return Vec::Load(data);
  float lanes[Vec::kLanes] = {};
  for (int i = 0; i < count; ++i) lanes[i] = data[i];
  return Vec::Load(lanes);
}

inline void StoreSome(Vec value, float* data, int count) {
  if (count >= Vec::kLanes) return value.Store(data);
  float lanes[Vec::kLanes];
  value.Store(lanes);
  for (int i = 0; i < count; ++i) data[i] = lanes[i];
}

// ---- Linear
// -----------------------------------------------------------------------------------------

// A unit is what one pair of vectors covers of a panel: all of it with 16 lanes, half with 8. Its
// outputs are [first, first + kLanes) and the same 16 further on.
constexpr int kUnitsPerPanel = 16 / Vec::kLanes;

constexpr int FirstOutput(int unit) {
  return unit / kUnitsPerPanel * kPanelWidth + unit % kUnitsPerPanel * Vec::kLanes;
}

// Floats (fp32) or 32-bit pairs (bf16) from one k to the next.
template <bool kBf16>
constexpr int kLine = kBf16 ? 16 : kPanelWidth;

template <bool kBf16>
inline const float* UnitWeights(const LinearArgs& args, int unit) {
  const long panel = unit / kUnitsPerPanel;
  return static_cast<const float*>(args.panels) + panel * args.k * kLine<kBf16> +
         unit % kUnitsPerPanel * Vec::kLanes;
}

inline void StoreOutputs(const LinearArgs& args, Vec sum, int row, int output) {
  const int count = args.n - output;
  if (count <= 0) return;
  if (args.bias != nullptr) sum = sum + LoadSome(args.bias + output, count);
  StoreSome(sum, args.y + row * args.y_stride + output, count);
}

// Each output has one accumulator that runs over k in order, whatever kRows and kUnits are.
template <bool kBf16, int kRows, int kUnits>
void LinearTile(const LinearArgs& args, int row, int unit) {
  const float* x[kRows];
  const float* w[kUnits];
  Vec low[kRows][kUnits], high[kRows][kUnits];
#pragma GCC unroll 12
  for (int r = 0; r < kRows; ++r) {
    x[r] = args.x + (args.x_rows != nullptr ? args.x_rows[row + r] : row + r) * args.x_stride;
#pragma GCC unroll 4
    for (int u = 0; u < kUnits; ++u) low[r][u] = high[r][u] = Vec::Zero();
  }
#pragma GCC unroll 4
  for (int u = 0; u < kUnits; ++u) w[u] = UnitWeights<kBf16>(args, unit + u);

  for (int k = 0; k < args.k; ++k) {
    Vec w_low[kUnits], w_high[kUnits];
#pragma GCC unroll 4
    for (int u = 0; u < kUnits; ++u) {
      const float* line = w[u] + static_cast<long>(k) * kLine<kBf16>;
      // With few rows the weights come straight from memory; 1.5 KB ahead was the best of 0.5 to 4
      // KB.
      if (kRows <= 4) __builtin_prefetch(line + 384);
      if (kBf16) {
        LoadPairs(line, w_low[u], w_high[u]);
      } else {
        w_low[u] = Vec::Load(line);
        w_high[u] = Vec::Load(line + 16);
      }
    }
#pragma GCC unroll 12
    for (int r = 0; r < kRows; ++r) {
      const Vec value = Vec::Broadcast(x[r][k]);
#pragma GCC unroll 4
      for (int u = 0; u < kUnits; ++u) {
        low[r][u] = Fma(value, w_low[u], low[r][u]);
        high[r][u] = Fma(value, w_high[u], high[r][u]);
      }
    }
  }
  // Through memory and a loop that is not unrolled: partial stores of registers are a page of code.
  float sums[kRows][kUnits][2][Vec::kLanes];
#pragma GCC unroll 12
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int u = 0; u < kUnits; ++u) {
      low[r][u].Store(sums[r][u][0]);
      high[r][u].Store(sums[r][u][1]);
    }
  }
#pragma GCC unroll 1
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 1
    for (int u = 0; u < kUnits; ++u) {
      StoreOutputs(args, Vec::Load(sums[r][u][0]), row + r, FirstOutput(unit + u));
      StoreOutputs(args, Vec::Load(sums[r][u][1]), row + r, FirstOutput(unit + u) + 16);
    }
  }
}

// One row alone would wait for the latency of its two accumulators: take several units at a time.
constexpr int UnitsAtOnce(int rows) { return rows == 1 ? 4 : rows == 2 ? 2 : 1; }

template <bool kBf16, int kRows>
void LinearRows(const LinearArgs& args, int num_rows, int row, int unit_begin, int unit_end) {
  if constexpr (kRows > 1) {
    if (num_rows < kRows)
      return LinearRows<kBf16, kRows - 1>(args, num_rows, row, unit_begin, unit_end);
  }
  constexpr int kUnits = UnitsAtOnce(kRows);
  int unit = unit_begin;
  for (; unit + kUnits <= unit_end; unit += kUnits)
    LinearTile<kBf16, kRows, kUnits>(args, row, unit);
  for (; unit < unit_end; ++unit) LinearTile<kBf16, kRows, 1>(args, row, unit);
}

template <bool kBf16>
void LinearPanels(const LinearArgs& args, int panel_begin, int panel_end) {
  // Rows of x that stay in a core's L2 (384 KiB of it) while the panels pass by.
  const int block_rows = (98304 / args.k / kMaxRows + 1) * kMaxRows;
  for (int block = 0; block < args.num_rows; block += block_rows) {
    const int block_end = Min(block + block_rows, args.num_rows);
    const bool one_tile = block_end - block <= kMaxRows;
    const int panels_at_once = one_tile ? panel_end - panel_begin : 1;
    for (int panel = panel_begin; panel < panel_end; panel += panels_at_once) {
      for (int row = block; row < block_end; row += kMaxRows) {
        LinearRows<kBf16, kMaxRows>(args, block_end - row, row, panel * kUnitsPerPanel,
                                    (panel + panels_at_once) * kUnitsPerPanel);
      }
    }
  }
}

void Linear(const LinearArgs& args, int panel_begin, int panel_end) {
  if (args.bf16) {
    LinearPanels<true>(args, panel_begin, panel_end);
  } else {
    LinearPanels<false>(args, panel_begin, panel_end);
  }
}

// ---- Attention
// --------------------------------------------------------------------------------------

// The pieces of AttentionArgs::scratch; `vector` counts rows x heads of the call.
struct Scratch {
  float* scores;       // [kMaxVectors][kAttentionChunkTokens]
  float* partial;      // [kMaxVectors][head_dim]
  float* sums;         // [kAttentionVectorsMax][head_dim]
  float* max;          // [kAttentionVectorsMax]
  float* denominator;  // [kAttentionVectorsMax]

  explicit Scratch(const AttentionArgs& args)
      : scores(args.scratch),
        partial(scores + kMaxVectors * kAttentionChunkTokens),
        sums(partial + kMaxVectors * args.head_dim),
        max(sums + kAttentionVectorsMax * args.head_dim),
        denominator(max + kAttentionVectorsMax) {}
};

inline const float* Query(const AttentionArgs& args, int vector) {
  return args.q + vector / args.group * args.q_stride + vector % args.group * args.head_dim;
}

inline int Position(const AttentionArgs& args, int vector) {
  return args.first_position + vector / args.group;
}

// Offset of the tile of 16 tokens that begins with `token`, the same in K and in V.
inline long TileOffset(const AttentionArgs& args, int token) {
  return args.block_table[token / args.block_size] * args.block_stride +
         static_cast<long>(token % args.block_size) * args.head_dim;
}

// scores[i][t] = q_i . k_t * scale for the 16 tokens of a tile: a lane is a token.
template <int kVectors>
inline void ScoreTile(const AttentionArgs& args, int vector, const float* k, float* scores) {
  Vec sum[kVectors][kTileVecs];
  const float* q[kVectors];
#pragma GCC unroll 8
  for (int i = 0; i < kVectors; ++i) {
    q[i] = Query(args, vector + i);
#pragma GCC unroll 2
    for (int j = 0; j < kTileVecs; ++j) sum[i][j] = Vec::Zero();
  }
  for (int d = 0; d < args.head_dim; ++d) {
    Vec key[kTileVecs];
#pragma GCC unroll 2
    for (int j = 0; j < kTileVecs; ++j) key[j] = Vec::Load(k + d * kKvTileTokens + j * Vec::kLanes);
#pragma GCC unroll 8
    for (int i = 0; i < kVectors; ++i) {
      const Vec value = Vec::Broadcast(q[i][d]);
#pragma GCC unroll 2
      for (int j = 0; j < kTileVecs; ++j) sum[i][j] = Fma(value, key[j], sum[i][j]);
    }
  }
  const Vec scale = Vec::Broadcast(args.scale);
#pragma GCC unroll 8
  for (int i = 0; i < kVectors; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < kTileVecs; ++j) {
      (sum[i][j] * scale).Store(scores + i * kAttentionChunkTokens + j * Vec::kLanes);
    }
  }
}

// Replaces scores[0, count) by exp(score - max), the rest of [0, padded) by 0; gives max and sum.
inline void SoftmaxChunk(float* scores, int count, int padded, float* max_out, float* sum_out) {
  constexpr float kMinusInfinity = -__builtin_inff();
  for (int t = count; t < padded; ++t) scores[t] = kMinusInfinity;
  Vec max = Vec::Broadcast(kMinusInfinity);
  for (int t = 0; t < padded; t += Vec::kLanes) max = VecMax(max, Vec::Load(scores + t));
  const float chunk_max = ReduceMax(max);
  Vec sum = Vec::Zero();
  for (int t = 0; t < padded; t += Vec::kLanes) {
    const Vec p = Exp(Vec::Load(scores + t) - Vec::Broadcast(chunk_max));
    p.Store(scores + t);
    sum = sum + p;
  }
  *max_out = chunk_max;
  *sum_out = ReduceAdd(sum);
}

// partial[i][d, d + width) = sum over t of p[i][t] v[t][d..], t in order: a lane is a dimension.
template <int kVectors>
inline void WeighValues(const AttentionArgs& args, int begin, int count, const Scratch& scratch) {
  constexpr int kVecs = 16 / Vec::kLanes;
  for (int d = 0; d < args.head_dim; d += 16) {
    Vec sum[kVectors][kVecs];
#pragma GCC unroll 8
    for (int i = 0; i < kVectors; ++i) {
#pragma GCC unroll 2
      for (int j = 0; j < kVecs; ++j) sum[i][j] = Vec::Zero();
    }
    for (int tile = 0; tile < count; tile += kKvTileTokens) {
      const float* v = args.v + TileOffset(args, begin + tile) + d;
      const int tokens = Min(kKvTileTokens, count - tile);
      for (int t = 0; t < tokens; ++t, v += args.head_dim) {
        Vec value[kVecs];
#pragma GCC unroll 2
        for (int j = 0; j < kVecs; ++j) value[j] = Vec::Load(v + j * Vec::kLanes);
#pragma GCC unroll 8
        for (int i = 0; i < kVectors; ++i) {
          const Vec p = Vec::Broadcast(scratch.scores[i * kAttentionChunkTokens + tile + t]);
#pragma GCC unroll 2
          for (int j = 0; j < kVecs; ++j) sum[i][j] = Fma(p, value[j], sum[i][j]);
        }
      }
    }
#pragma GCC unroll 8
    for (int i = 0; i < kVectors; ++i) {
#pragma GCC unroll 2
      for (int j = 0; j < kVecs; ++j) {
        sum[i][j].Store(scratch.partial + i * args.head_dim + d + j * Vec::kLanes);
      }
    }
  }
}

// Adds a chunk's part to a vector's running softmax.
inline void MergeChunk(const AttentionArgs& args, const Scratch& scratch, int vector, int i,
                       float chunk_max, float chunk_sum) {
  const float old_max = scratch.max[vector];
  const float new_max = chunk_max > old_max ? chunk_max : old_max;
  const float keep = ExpOne(old_max - new_max);
  const float add = ExpOne(chunk_max - new_max);
  scratch.max[vector] = new_max;
  scratch.denominator[vector] = scratch.denominator[vector] * keep + chunk_sum * add;
  float* sums = scratch.sums + vector * args.head_dim;
  const float* partial = scratch.partial + i * args.head_dim;
  for (int d = 0; d < args.head_dim; d += Vec::kLanes) {
    Fma(Vec::Load(partial + d), Vec::Broadcast(add), Vec::Load(sums + d) * Vec::Broadcast(keep))
        .Store(sums + d);
  }
}

// Tokens [begin, begin + chunk) for query vectors [vector, vector + kVectors), which see them up to
// their own positions. Never reads K or V beyond the last of these positions into a result.
template <int kVectors>
void AttendChunk(const AttentionArgs& args, const Scratch& scratch, int num_vectors, int vector,
                 int begin) {
  if constexpr (kVectors > 1) {
    if (num_vectors < kVectors) {
      return AttendChunk<kVectors - 1>(args, scratch, num_vectors, vector, begin);
    }
  }
  const int seen = Position(args, vector + kVectors - 1) + 1 - begin;
  if (seen <= 0) return;
  const int count = Min(seen, kAttentionChunkTokens);
  const int padded = (count + kKvTileTokens - 1) / kKvTileTokens * kKvTileTokens;
  for (int tile = 0; tile < padded; tile += kKvTileTokens) {
    ScoreTile<kVectors>(args, vector, args.k + TileOffset(args, begin + tile),
                        scratch.scores + tile);
  }
  float max[kVectors] = {}, sum[kVectors] = {};
  for (int i = 0; i < kVectors; ++i) {
    const int own = Min(Position(args, vector + i) + 1 - begin, kAttentionChunkTokens);
    if (own > 0) {
      SoftmaxChunk(scratch.scores + i * kAttentionChunkTokens, own, padded, &max[i], &sum[i]);
    } else {
      for (int t = 0; t < padded; ++t) scratch.scores[i * kAttentionChunkTokens + t] = 0;
    }
  }
  WeighValues<kVectors>(args, begin, count, scratch);
  for (int i = 0; i < kVectors; ++i) {
    if (Position(args, vector + i) >= begin) {
      MergeChunk(args, scratch, vector + i, i, max[i], sum[i]);
    }
  }
}

void Attention(const AttentionArgs& args) {
  const Scratch scratch(args);
  const int num_vectors = args.num_rows * args.group;
  for (int i = 0; i < num_vectors; ++i) {
    scratch.max[i] = -__builtin_inff();
    scratch.denominator[i] = 0;
  }
  for (int i = 0; i < num_vectors * args.head_dim; ++i) scratch.sums[i] = 0;

  const int last_position = args.first_position + args.num_rows - 1;
  for (int begin = 0; begin <= last_position; begin += kAttentionChunkTokens) {
    for (int vector = 0; vector < num_vectors; vector += kMaxVectors) {
      AttendChunk<kMaxVectors>(args, scratch, Min(num_vectors - vector, kMaxVectors), vector,
                               begin);
    }
  }
  for (int i = 0; i < num_vectors; ++i) {
    float* out = args.out + i / args.group * args.out_stride + i % args.group * args.head_dim;
    const Vec scale = Vec::Broadcast(1.0f / scratch.denominator[i]);
    for (int d = 0; d < args.head_dim; d += Vec::kLanes) {
      (Vec::Load(scratch.sums + i * args.head_dim + d) * scale).Store(out + d);
    }
  }
}

// ---- Rows
// -------------------------------------------------------------------------------------------

void RmsNorm(float* x, const float* delta, const float* weight, float eps, int n, float* out) {
  Vec sum = Vec::Zero();
  for (int i = 0; i < n; i += Vec::kLanes) {
    Vec value = LoadSome(x + i, n - i);
    if (delta != nullptr) {
      value = value + LoadSome(delta + i, n - i);
      StoreSome(value, x + i, n - i);
    }
    sum = Fma(value, value, sum);
  }
  const float mean = ReduceAdd(sum) / static_cast<float>(n);
  const Vec scale = Vec::Broadcast(1.0f / __builtin_sqrtf(mean + eps));
  for (int i = 0; i < n; i += Vec::kLanes) {
    StoreSome(LoadSome(x + i, n - i) * scale * LoadSome(weight + i, n - i), out + i, n - i);
  }
}

void SiluMul(const float* gate, const float* up, int n, float* out) {
  const Vec one = Vec::Broadcast(1.0f);
  for (int i = 0; i < n; i += Vec::kLanes) {
    // Below -100 the result is zero in fp32; Exp ends at e^88, which -1e38 would still outweigh.
    const Vec g = VecMax(Vec::Broadcast(-100.0f), LoadSome(gate + i, n - i));
    StoreSome(g / (one + Exp(Vec::Zero() - g)) * LoadSome(up + i, n - i), out + i, n - i);
  }
}

}  // namespace
}  // namespace hearth::engine::cpu
