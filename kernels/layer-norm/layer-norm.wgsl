// One workgroup normalises one row of x.

struct Parameters {
  rows: u32,
  width: u32,
  epsilon: f32,
  // of a workgroup; a parameter too, so that loops over them are not unrolled
  threads: u32,
}
@group(1) @binding(0) var<uniform> p: Parameters;

@group(0) @binding(0) var<storage, read> x: array<f32>;

fn element(row: u32, i: u32) -> f32 {
  return x[row * p.width + i];
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = workgroup.x + workgroup.y * workgroups.x;
  if (row >= p.rows) { return; }
  normalizeRow(row, thread);
}
