// What follows a sum. From the prologue: GATE, BIAS, RESIDUAL.

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
}
@group(1) @binding(0) var<uniform> p: Parameters;

@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> residual: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

// y[row, column] from x · weight[column] and, with a gate, x · weight[out + column].
fn finish(row: u32, column: u32, sum: f32, gated: f32) {
  var value = sum;
  if (BIAS) { value += bias[column]; }
  value = activate(value);
  if (GATE) {
    var factor = gated;
    if (BIAS) { factor += bias[p.out + column]; }
    value *= factor;
  }
  let place = row * p.out + column;
  if (RESIDUAL) { value += residual[place]; }
  y[place] = value;
}
