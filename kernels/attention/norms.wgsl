// attention with slopes, first dispatch: one workgroup finds the largest |k| and the largest |v| component of a sequence's head,
// for the bound in outward.wgsl. Compared are the bits: without a sign they are in the numbers' order, and what is not finite,
// infinity or NaN, is above all of them.
// load(token, column, d) is of qkv-*.wgsl. From the prologue: VECTORS, ⌈headDim / 4⌉.

struct Parameters {
  // sequences from firstSequence on
  firstSequence: u32,
  // heads · headDim
  hidden: u32,
  headDim: u32,
}
@group(1) @binding(0) var<uniform> p: Parameters;

@group(0) @binding(1) var<storage, read> offsets: array<u32>;
// (sequences, heads) of this dispatch: bits of |k|², then of |v|
@group(0) @binding(2) var<storage, read_write> norms: array<vec2u>;

const threads = 64u;
var<workgroup> parts: array<vec2u, threads>;

@compute @workgroup_size(threads)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let first = offsets[p.firstSequence + workgroup.y];
  let end = offsets[p.firstSequence + workgroup.y + 1u];
  let head = workgroup.x * p.headDim;
  var largest = vec2u();
  for (var token = first + thread; token < end; token += threads) {
    var square = f32(p.headDim) * 1.17549435e-38; // squares below the smallest normal number may vanish
    for (var d = 0u; d < VECTORS; d++) {
      let k = load(token, p.hidden + head, d);
      square += dot(k, k);
      let v = load(token, 2u * p.hidden + head, d);
      for (var i = 0u; i < 4u; i++) { largest.y = max(largest.y, bitcast<u32>(v[i]) & 0x7fffffffu); }
    }
    largest.x = max(largest.x, bitcast<u32>(square) & 0x7fffffffu);
  }
  parts[thread] = largest;
  workgroupBarrier();
  if (thread != 0u) { return; }
  for (var i = 1u; i < threads; i++) { largest = max(largest, parts[i]); }
  norms[workgroup.y * workgroups.x + workgroup.x] = largest;
}
