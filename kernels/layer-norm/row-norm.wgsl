// Layer norm of one row by one workgroup, for a file that has element(row, i) of what is normalised and Parameters with width,
// threads and epsilon. From the prologue: THREADS.

@group(0) @binding(4) var<storage, read> weight: array<f32>;
@group(0) @binding(5) var<storage, read> bias: array<f32>;
@group(0) @binding(6) var<storage, read_write> y: array<f32>;

// Two passes. Sums are taken of differences, to the first element and then to the mean, so that rows far from zero keep their
// digits; what the mean lacks to the true one is found with the squares and taken off.
fn normalizeRow(row: u32, thread: u32) {
  let width = f32(p.width);
  let first = element(row, 0u);
  var sum = 0.0;
  for (var i = thread; i < p.width; i += THREADS) { sum += element(row, i) - first; }
  let mean = first + sumOfAll(thread, vec2f(sum, 0.0)).x / width;
  var rest = vec2f();
  for (var i = thread; i < p.width; i += THREADS) {
    let difference = element(row, i) - mean;
    rest += vec2f(difference, difference * difference);
  }
  let means = sumOfAll(thread, rest) / width;
  let variance = fma(-means.x, means.x, means.y);
  let factor = inverseSqrt(select(variance, 0.0, variance < 0.0) + p.epsilon);
  for (var i = thread; i < p.width; i += THREADS) {
    let difference = (element(row, i) - mean) - means.x;
    y[row * p.width + i] = fma(difference * factor, weight[i], bias[i]);
  }
}
