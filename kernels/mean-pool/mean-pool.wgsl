// One workgroup computes 32 columns of one sequence's mean: 8 threads a column, each adds every eighth token, and one of them
// adds their sums.

struct Parameters {
  sequences: u32,
  width: u32,
  // tokens that count, at most
  count: u32,
}
@group(1) @binding(0) var<uniform> p: Parameters;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> offsets: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const columns = 32u;
const lanes = 8u;
var<workgroup> parts: array<array<f32, columns>, lanes>;

@compute @workgroup_size(columns, lanes)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let blocks = (p.width + columns - 1u) / columns;
  let group = workgroup.x + workgroup.y * workgroups.x;
  let sequence = group / blocks;
  if (sequence >= p.sequences) { return; }
  let column = group % blocks * columns + local.x;
  let first = offsets[sequence];
  let tokens = min(p.count, offsets[sequence + 1u] - first);
  var sum = 0.0;
  if (column < p.width) {
    for (var t = local.y; t < tokens; t += lanes) { sum += x[(first + t) * p.width + column]; }
  }
  parts[local.y][local.x] = sum;
  workgroupBarrier();
  if (local.y > 0u || column >= p.width) { return; }
  for (var lane = 1u; lane < lanes; lane++) { sum += parts[lane][local.x]; }
  y[sequence * p.width + column] = sum / f32(tokens);
}
