// attention, first rung: one workgroup computes 64 queries of one head, one thread a query. Keys and values of the sequence pass
// through workgroup memory in blocks; scores are never held: a running maximum, a sum and the weighted values are kept in
// registers and rescaled when the maximum rises (Dao et al., "FlashAttention", 2022; Milakov, Gimelshein,
// "Online normalizer calculation for softmax", 2018). ALiBi is added where a score is made.
// load(token, column, d) is of qkv-*.wgsl. From the prologue: VECTORS, ⌈headDim / 4⌉; KEYS, of a block.

struct Parameters {
  // sequences from firstSequence on, queries of each from firstQuery on
  firstSequence: u32,
  firstQuery: u32,
  // heads · headDim
  hidden: u32,
  headDim: u32,
  scale: f32,
  // 0 or 1
  alibi: u32,
}
@group(1) @binding(0) var<uniform> p: Parameters;

@group(0) @binding(1) var<storage, read> offsets: array<u32>;
@group(0) @binding(2) var<storage, read> positions: array<i32>;
@group(0) @binding(3) var<storage, read> slopes: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

const queries = 64u;
// Finite, so that a first score of -∞ weighs nothing instead of being NaN.
const lowest = -3.4028234e38;

var<workgroup> keys: array<vec4f, KEYS * VECTORS>;
var<workgroup> values: array<vec4f, KEYS * VECTORS>;
var<workgroup> places: array<i32, KEYS>;

@compute @workgroup_size(queries)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let first = offsets[p.firstSequence + workgroup.y];
  let length = offsets[p.firstSequence + workgroup.y + 1u] - first;
  let firstQuery = p.firstQuery + workgroup.x * queries;
  if (firstQuery >= length) { return; }
  let head = workgroup.z;
  let query = min(firstQuery + thread, length - 1u);
  let slope = select(0.0, slopes[head], p.alibi != 0u);
  let place = positions[first + query];

  var q: array<vec4f, VECTORS>;
  var sums: array<vec4f, VECTORS>;
  for (var d = 0u; d < VECTORS; d++) { q[d] = load(first + query, head * p.headDim, d); }
  var largest = lowest;
  var total = 0.0;

  for (var block = 0u; block < length; block += KEYS) {
    workgroupBarrier();
    for (var i = thread; i < KEYS * VECTORS; i += queries) {
      let key = block + i / VECTORS;
      keys[i] = vec4f();
      values[i] = vec4f();
      if (key < length) {
        keys[i] = load(first + key, p.hidden + head * p.headDim, i % VECTORS);
        values[i] = load(first + key, 2u * p.hidden + head * p.headDim, i % VECTORS);
      }
    }
    if (thread < KEYS && block + thread < length) { places[thread] = positions[first + block + thread]; }
    workgroupBarrier();
    let held = min(KEYS, length - block);
    for (var key = 0u; key < held; key++) {
      let at = key * VECTORS;
      var products = vec4f();
      for (var d = 0u; d < VECTORS; d++) { products = fma(q[d], keys[at + d], products); }
      let product = (products.x + products.z) + (products.y + products.w);
      let score = product * p.scale - slope * f32(abs(places[key] - place));
      if (score > largest) { // seldom after the first keys
        let shrink = exp(largest - score);
        largest = score;
        total *= shrink;
        for (var d = 0u; d < VECTORS; d++) { sums[d] *= shrink; }
      }
      let share = exp(score - largest);
      total += share;
      for (var d = 0u; d < VECTORS; d++) { sums[d] = fma(vec4f(share), values[at + d], sums[d]); }
    }
  }

  if (firstQuery + thread >= length) { return; }
  for (var d = 0u; d < VECTORS; d++) {
    let result = sums[d] / total;
    let start = (first + query) * p.hidden + head * p.headDim + 4u * d;
    for (var i = 0u; i < min(4u, p.headDim - 4u * d); i++) { y[start + i] = result[i]; }
  }
}
