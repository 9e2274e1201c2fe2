// Rows of x for linear's tiles are patches: row (image, patch), column (channel, y, x within the patch), read from the pixels
// (images, 3, size, size) where they are. Switches of finish.wgsl that do not apply are 0. What follows a sum is here, too.

struct Parameters {
  // rows first … end - 1 of x, which are patches, are worked off
  first: u32,
  end: u32,
  // 3 · patch · patch
  width: u32,
  // width / 4, rounded up
  vectors: u32,
  // columns of y
  out: u32,
  // always 0: linear's
  gate: u32,
  size: u32,
  // along one side of a patch
  patchSize: u32,
  // patches along one side of an image
  grid: u32,
}
@group(1) @binding(0) var<uniform> p: Parameters;

@group(0) @binding(0) var<storage, read> pixels: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> position: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

// Elements 4k … 4k + 3 of a row, zeros outside of x.
fn loadX(row: u32, k: u32) -> vec4f {
  if (row >= p.end) { return vec4f(); }
  let perImage = p.grid * p.grid;
  let image = row / perImage;
  let corner = vec2u(row % p.grid, row % perImage / p.grid) * p.patchSize;
  var values = vec4f();
  for (var i = 0u; i < 4u; i++) {
    let column = 4u * k + i;
    if (column >= p.width) { break; }
    let area = p.patchSize * p.patchSize;
    let place = corner + vec2u(column % p.patchSize, column % area / p.patchSize);
    values[i] = pixels[((image * 3u + column / area) * p.size + place.y) * p.size + place.x];
  }
  return values;
}

// Token 0 of an image is its class token: patches come after it.
fn finish(row: u32, column: u32, sum: f32, gated: f32) {
  let perImage = p.grid * p.grid;
  let token = 1u + row % perImage;
  let place = (row / perImage * (perImage + 1u) + token) * p.out + column;
  y[place] = (sum + bias[column]) + position[token * p.out + column];
}
