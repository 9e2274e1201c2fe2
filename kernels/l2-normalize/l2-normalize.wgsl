// One workgroup normalises one row: y = x / max(‖x‖₂, 1e-12) of x's first p.width columns. From the prologue: THREADS.

struct Parameters {
  rows: u32,
  // columns of y
  width: u32,
  // columns of x
  stride: u32,
  threads: u32,
}
@group(1) @binding(0) var<uniform> p: Parameters;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = workgroup.x + workgroup.y * workgroups.x;
  if (row >= p.rows) { return; }
  var squares = 0.0;
  for (var i = thread; i < p.width; i += THREADS) {
    let value = x[row * p.stride + i];
    squares = fma(value, value, squares);
  }
  let norm = sqrt(sumOfAll(thread, vec2f(squares, 0.0)).x);
  // Compared are the bits, of what has no sign: NaN is above all numbers, whatever a compiler thinks of it, and stays.
  let divisor = select(norm, 1e-12, (bitcast<u32>(norm) & 0x7fffffffu) < bitcast<u32>(1e-12f));
  for (var i = thread; i < p.width; i += THREADS) { y[row * p.width + i] = x[row * p.stride + i] / divisor; }
}
