// Between the four threads of a quad, which WebGPU keeps in one subgroup: no barrier, no memory. Same sums as exchange-memory.wgsl.

// parts: of four keys, this thread's part of the products with the quad's queries → all of the product with the own query, of each key
fn gather(thread: u32, parts: array<vec4f, 4>) -> vec4f {
  let own = thread % 4u;
  var given = parts;
  var dots = vec4f();
  for (var j = 0u; j < 4u; j++) {
    let a = given[j] + quadSwapX(given[j]); // 0 + 1, and 2 + 3
    let b = a + quadSwapY(a);
    dots[j] = b[own];
  }
  return dots;
}

// weights of the own query for four keys, and its shrink → of each key, then the shrinks, for the quad's queries
fn spread(thread: u32, weights: vec4f, shrink: f32) -> array<vec4f, 5> {
  let all = array<vec4f, 4>(
    quadBroadcast(weights, 0u), quadBroadcast(weights, 1u), quadBroadcast(weights, 2u), quadBroadcast(weights, 3u),
  );
  let turned = transpose(mat4x4f(all[0], all[1], all[2], all[3]));
  let shrinks = vec4f(
    quadBroadcast(shrink, 0u), quadBroadcast(shrink, 1u), quadBroadcast(shrink, 2u), quadBroadcast(shrink, 3u),
  );
  return array<vec4f, 5>(turned[0], turned[1], turned[2], turned[3], shrinks);
}
