// attention, second rung: flash.wgsl, but the keys are walked from the queries outwards, left and right by turns, and with slopes
// the walk ends where no key further out can change a result (docs/operations/attention.md, "Leaving keys out").
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
// Of norms.wgsl, where there are slopes and a sequence of more than two workgroups' queries.
@group(0) @binding(5) var<storage, read> norms: array<vec2u>;

const queries = 64u;
// Finite, so that a first score of -∞ weighs nothing instead of being NaN.
const lowest = -3.4028234e38;
const infinite = 0x7f800000u;

var<workgroup> keys: array<vec4f, KEYS * VECTORS>;
var<workgroup> values: array<vec4f, KEYS * VECTORS>;
var<workgroup> places: array<i32, KEYS>;
// The last turn at which a query still needed more keys.
var<workgroup> needed: atomic<u32>;
var<workgroup> enough: bool;

@compute @workgroup_size(queries)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
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
  var square = f32(p.headDim) * 1.17549435e-38; // squares below the smallest normal number may vanish
  for (var d = 0u; d < VECTORS; d++) {
    q[d] = load(first + query, head * p.headDim, d);
    square += dot(q[d], q[d]);
  }
  var largest = lowest;
  var total = 0.0;

  // Finite norms, distances that only lower a score, and keys to leave out.
  let long = p.alibi != 0u && length > 2u * queries;
  let norm = norms[select(0u, workgroup.y * workgroups.z + head, long)];
  let searching = long && slope >= 0.0 && max(norm.x, norm.y) < infinite;
  // At least |scale · q · k| for every k: Cauchy and Schwarz, raised by more than rounding can take off.
  let raised = 1.0 + f32(p.headDim + 8u) * 2.3841858e-7;
  let product = abs(p.scale) * sqrt(square) * sqrt(bitcast<f32>(norm.x)) * raised;

  // Keys left … right - 1 have been looked at: first those of the queries themselves.
  var left = firstQuery;
  var right = firstQuery;
  for (var turn = 1u; left > 0u || right < length; turn++) {
    let own = right < min(firstQuery + queries, length);
    if (searching && !own && turn % 4u == 0u) {
      var ends = 0.0; // what the keys on both sides could add to the sum
      if (left > 0u) {
        ends += share(product, slope * f32(abs(place - positions[first + left - 1u])), largest) * f32(left);
      }
      if (right < length) {
        ends += share(product, slope * f32(abs(positions[first + right] - place)), largest) * f32(length - right);
      }
      // At most the largest component of the result, times total: all of them would move the end by next to nothing.
      let tops = max(abs(sums[0]), abs(sums[VECTORS / 2u]));
      let top = max(max(tops.x, tops.y), max(tops.z, tops.w));
      let change = ends * fma(bitcast<f32>(norm.y), total, top);
      let allowed = 1.4901161e-8 * top * total; // 2^-26
      if (!(finite(change) && finite(allowed) && change < allowed)) { atomicMax(&needed, turn); }
      workgroupBarrier();
      if (thread == 0u) { enough = atomicLoad(&needed) != turn; }
      if (workgroupUniformLoad(&enough)) { break; }
    }
    let goesRight = own || left == 0u || (right < length && turn % 2u == 0u);
    let block = select(left - min(left, KEYS), right, goesRight);
    let held = select(left - block, min(KEYS, length - right), goesRight);
    left = select(block, left, goesRight);
    right = select(right, right + held, goesRight);
    workgroupBarrier();
    for (var i = thread; i < held * VECTORS; i += queries) {
      let key = first + block + i / VECTORS;
      keys[i] = load(key, p.hidden + head * p.headDim, i % VECTORS);
      values[i] = load(key, 2u * p.hidden + head * p.headDim, i % VECTORS);
    }
    if (thread < held) { places[thread] = positions[first + block + thread]; }
    workgroupBarrier();
    for (var key = 0u; key < held; key++) {
      let at = key * VECTORS;
      var products = vec4f();
      for (var d = 0u; d < VECTORS; d++) { products = fma(q[d], keys[at + d], products); }
      let dots = (products.x + products.z) + (products.y + products.w);
      let score = dots * p.scale - slope * f32(abs(places[key] - place));
      if (score > largest) { // seldom after the first keys
        let shrink = exp(largest - score);
        largest = score;
        total *= shrink;
        for (var d = 0u; d < VECTORS; d++) { sums[d] *= shrink; }
      }
      let weight = exp(score - largest);
      total += weight;
      for (var d = 0u; d < VECTORS; d++) { sums[d] = fma(vec4f(weight), values[at + d], sums[d]); }
    }
  }

  if (firstQuery + thread >= length) { return; }
  for (var d = 0u; d < VECTORS; d++) {
    let result = sums[d] / total;
    let start = (first + query) * p.hidden + head * p.headDim + 4u * d;
    for (var i = 0u; i < min(4u, p.headDim - 4u * d); i++) { y[start + i] = result[i]; }
  }
}

// At least e^(score - largest) for every key at that penalty or a greater one, and never nothing.
fn share(product: f32, penalty: f32, largest: f32) -> f32 {
  let exponent = product - penalty - largest;
  return max(1.001 * exp(exponent + 9.5367432e-7 * (product + penalty + abs(largest))), 2.3509887e-38);
}

fn finite(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7fffffffu) < infinite;
}
