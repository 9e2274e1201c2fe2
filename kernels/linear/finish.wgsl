// What follows a sum. Switches are parameters and not constants: they are asked once per element, and a model then needs one
// pipeline where it would need one for each combination.

struct Parameters {
  // rows first … end - 1 of x are worked off
  first: u32,
  end: u32,
  width: u32,
  // width / 4, rounded up
  vectors: u32,
  // columns of y
  out: u32,
  // scales of a row of the weight, padded
  scales: u32,
  // of activation.wgsl; with a gate, the gate's
  activation: u32,
  // 0 or 1, all three
  gate: u32,
  bias: u32,
  residual: u32,
}
@group(1) @binding(0) var<uniform> p: Parameters;

@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> residual: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

// y[row, column] from x · weight[column] and, with a gate, x · weight[out + column].
fn finish(row: u32, column: u32, sum: f32, gated: f32) {
  var value = sum;
  if (p.bias != 0u) { value += bias[column]; }
  value = activate(p.activation, value);
  if (p.gate != 0u) {
    var factor = gated;
    if (p.bias != 0u) { factor += bias[p.out + column]; }
    value *= factor;
  }
  let place = row * p.out + column;
  if (p.residual != 0u) { value += residual[place]; }
  y[place] = value;
}
