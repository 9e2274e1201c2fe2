// Before linear with matrices of float16: each row of x as float16, scaled by a power of two so that its largest magnitude lies
// between 2^14 and 2^15. Nothing overflows, and an element keeps 11 bits unless it is below 2^-28 of the largest.
// One workgroup a row.

struct Parameters {
  // rows first … end - 1 of x are worked off
  first: u32,
  end: u32,
  width: u32,
  // width / 4, rounded up
  vectors: u32,
}
@group(1) @binding(0) var<uniform> p: Parameters;

@group(0) @binding(1) var<storage, read_write> narrow: array<vec4h>;
@group(0) @binding(2) var<storage, read_write> factors: array<f32>;

const threads = 64u;
var<workgroup> parts: array<vec4u, threads>;

@compute @workgroup_size(threads)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = p.first + workgroup.x + workgroup.y * workgroups.x;
  if (row >= p.end) { return; }
  var largest = vec4u(); // bits without a sign are in the numbers' order
  for (var k = thread; k < p.vectors; k += threads) {
    largest = max(largest, bitcast<vec4u>(loadX(row, k)) & vec4u(0x7fffffffu));
  }
  parts[thread] = largest;
  workgroupBarrier();
  for (var half = threads / 2u; half > 0u; half /= 2u) {
    if (thread < half) { parts[thread] = max(parts[thread], parts[thread + half]); }
    workgroupBarrier();
  }
  let most = max(max(parts[0].x, parts[0].y), max(parts[0].z, parts[0].w));
  // 2^(14 - exponent) and its inverse, both normal numbers.
  let exponent = max(most >> 23u, 15u);
  let scale = bitcast<f32>((268u - exponent) << 23u);
  if (thread == 0u) { factors[row] = bitcast<f32>((exponent - 14u) << 23u); }
  for (var k = thread; k < p.vectors; k += threads) { narrow[row * p.vectors + k] = vec4h(loadX(row, k) * scale); }
}
