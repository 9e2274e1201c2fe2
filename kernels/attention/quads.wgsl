// attention, third rung, for heads of up to 64: four neighbouring threads, a quad, share four queries. Each thread has every fourth
// vector of all four queries and of their sums in its registers, so a vector of a key or value that it reads from workgroup memory
// serves four queries and not one. Per key the parts of the four products go to the thread that owns the query, which takes the
// exponential, and the four shares come back: `gather` and `spread`, of exchange-*.wgsl. The walk is that of outward.wgsl.
// load(token, column, d) is of qkv-*.wgsl. From the prologue: VECTORS, ⌈headDim / 4⌉; KEYS, of a block, a multiple of four.

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
// Keys that are worked off together.
const step = 4u;
// Vectors of a head that a thread has.
const own = (VECTORS + 3u) / 4u;
// Vectors of a key in workgroup memory, zeros behind the head's last.
const pitch = 4u * own;
// Finite, so that a first score of -∞ weighs nothing instead of being NaN.
const lowest = -3.4028234e38;
const infinite = 0x7f800000u;

var<workgroup> keys: array<vec4f, KEYS * pitch>;
var<workgroup> values: array<vec4f, KEYS * pitch>;
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
  let part = thread % 4u;
  let query = min(firstQuery + thread, length - 1u); // the one that this thread owns
  let slope = select(0.0, slopes[head], p.alibi != 0u);
  let place = positions[first + query];

  var q: array<array<vec4f, own>, 4>;
  var sums: array<array<vec4f, own>, 4>;
  for (var i = 0u; i < 4u; i++) {
    let token = first + min(firstQuery + thread - part + i, length - 1u);
    for (var d = 0u; d < own; d++) { q[i][d] = loadPart(token, head * p.headDim, 4u * d + part); }
  }
  var largest = lowest;
  var total = 0.0;

  // Finite norms, distances that only lower a score, and keys to leave out.
  let long = p.alibi != 0u && length > 2u * queries;
  let norm = norms[select(0u, workgroup.y * workgroups.z + head, long)];
  let searching = long && slope >= 0.0 && max(norm.x, norm.y) < infinite;
  // At least |scale · q · k| for every k: Cauchy and Schwarz, raised by more than rounding can take off.
  var square = f32(p.headDim) * 1.17549435e-38; // squares below the smallest normal number may vanish
  if (searching) {
    for (var d = 0u; d < VECTORS; d++) {
      let v = load(first + query, head * p.headDim, d);
      square += dot(v, v);
    }
  }
  let raised = 1.0 + f32(p.headDim + 8u) * 2.3841858e-7;
  let product = abs(p.scale) * sqrt(square) * sqrt(bitcast<f32>(norm.x)) * raised;

  // Keys left … right - 1 have been looked at: first those of the queries themselves.
  var left = firstQuery;
  var right = firstQuery;
  for (var turn = 1u; left > 0u || right < length; turn++) {
    let near = right < min(firstQuery + queries, length);
    if (searching && !near && turn % 4u == 0u) {
      var ends = 0.0; // what the keys on both sides could add to the sum
      if (left > 0u) {
        ends += share(product, slope * f32(abs(place - positions[first + left - 1u])), largest) * f32(left);
      }
      if (right < length) {
        ends += share(product, slope * f32(abs(positions[first + right] - place)), largest) * f32(length - right);
      }
      // At most the largest component of the owned query's result, times total.
      var tops = abs(sums[0][0]);
      if (part == 1u) { tops = abs(sums[1][0]); }
      if (part == 2u) { tops = abs(sums[2][0]); }
      if (part == 3u) { tops = abs(sums[3][0]); }
      let top = max(max(tops.x, tops.y), max(tops.z, tops.w));
      let change = ends * fma(bitcast<f32>(norm.y), total, top);
      let allowed = 1.4901161e-8 * top * total; // 2^-26
      if (!(finite(change) && finite(allowed) && change < allowed)) { atomicMax(&needed, turn); }
      workgroupBarrier();
      if (thread == 0u) { enough = atomicLoad(&needed) != turn; }
      if (workgroupUniformLoad(&enough)) { break; }
    }
    let goesRight = near || left == 0u || (right < length && turn % 2u == 0u);
    let block = select(left - min(left, KEYS), right, goesRight);
    let held = select(left - block, min(KEYS, length - right), goesRight);
    left = select(block, left, goesRight);
    right = select(right, right + held, goesRight);
    workgroupBarrier();
    for (var i = thread; i < KEYS * pitch; i += queries) {
      keys[i] = vec4f();
      values[i] = vec4f();
      if (i / pitch < held) {
        let key = first + block + i / pitch;
        keys[i] = loadPart(key, p.hidden + head * p.headDim, i % pitch);
        values[i] = loadPart(key, 2u * p.hidden + head * p.headDim, i % pitch);
      }
    }
    if (thread < held) { places[thread] = positions[first + block + thread]; }
    workgroupBarrier();
    for (var key = 0u; key < held; key += step) {
      var parts: array<vec4f, step>; // of each key, for the four queries
      for (var j = 0u; j < step; j++) {
        var products = array<vec4f, 4>();
        for (var d = 0u; d < own; d++) {
          let k = keys[(key + j) * pitch + 4u * d + part];
          for (var i = 0u; i < 4u; i++) { products[i] = fma(q[i][d], k, products[i]); }
        }
        parts[j] = vec4f(within(products[0]), within(products[1]), within(products[2]), within(products[3]));
      }
      let dots = gather(thread, parts);
      var scores = vec4f();
      var most = largest;
      for (var j = 0u; j < step; j++) {
        scores[j] = dots[j] * p.scale - slope * f32(abs(places[min(key + j, held - 1u)] - place));
        if (key + j < held && scores[j] > most) { most = scores[j]; }
      }
      let shrink = exp(largest - most);
      largest = most;
      var weights = exp(scores - vec4f(most));
      for (var j = 1u; j < step; j++) { if (key + j >= held) { weights[j] = 0.0; } }
      total = fma(total, shrink, (weights.x + weights.y) + (weights.z + weights.w));
      var spreading = spread(thread, weights, shrink); // of each key, then of what is there, for the four queries
      for (var i = 0u; i < 4u; i++) {
        for (var d = 0u; d < own; d++) { sums[i][d] *= spreading[step][i]; }
      }
      for (var j = 0u; j < step; j++) {
        for (var d = 0u; d < own; d++) {
          let v = values[(key + j) * pitch + 4u * d + part];
          for (var i = 0u; i < 4u; i++) { sums[i][d] = fma(vec4f(spreading[j][i]), v, sums[i][d]); }
        }
      }
    }
  }

  let totals = spread(thread, vec4f(total), total)[4];
  for (var i = 0u; i < 4u; i++) {
    let token = firstQuery + thread - part + i;
    if (token < length) {
      for (var d = 0u; d < own; d++) {
        let vector = 4u * d + part;
        let result = sums[i][d] / totals[i];
        let start = (first + token) * p.hidden + head * p.headDim + 4u * vector;
        for (var e = 0u; e < min(4u, p.headDim - min(p.headDim, 4u * vector)); e++) { y[start + e] = result[e]; }
      }
    }
  }
}

fn loadPart(token: u32, column: u32, d: u32) -> vec4f {
  if (d >= VECTORS) { return vec4f(); }
  return load(token, column, d);
}

fn within(products: vec4f) -> f32 {
  return (products.x + products.z) + (products.y + products.w);
}

// At least e^(score - largest) for every key at that penalty or a greater one, and never nothing.
fn share(product: f32, penalty: f32, largest: f32) -> f32 {
  let exponent = product - penalty - largest;
  return max(1.001 * exp(exponent + 9.5367432e-7 * (product + penalty + abs(largest))), 2.3509887e-38);
}

fn finite(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7fffffffu) < infinite;
}
