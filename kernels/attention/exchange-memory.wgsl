// Between the four threads of a quad, through workgroup memory, for devices without subgroups.

var<workgroup> exchanged: array<vec4f, 5u * queries>;

// parts: of four keys, this thread's part of the products with the quad's queries → all of the product with the own query, of each key
fn gather(thread: u32, parts: array<vec4f, 4>) -> vec4f {
  var given = parts;
  workgroupBarrier();
  for (var j = 0u; j < 4u; j++) { exchanged[j * queries + thread] = given[j]; }
  workgroupBarrier();
  let quad = thread - thread % 4u;
  let own = thread % 4u;
  var dots = vec4f();
  for (var j = 0u; j < 4u; j++) {
    let at = j * queries + quad;
    dots[j] = (exchanged[at][own] + exchanged[at + 1u][own]) + (exchanged[at + 2u][own] + exchanged[at + 3u][own]);
  }
  return dots;
}

// weights of the own query for four keys, and its shrink → of each key, then the shrinks, for the quad's queries
fn spread(thread: u32, weights: vec4f, shrink: f32) -> array<vec4f, 5> {
  workgroupBarrier();
  exchanged[thread] = weights;
  exchanged[queries + thread].x = shrink;
  workgroupBarrier();
  let quad = thread - thread % 4u;
  let turned = transpose(
    mat4x4f(exchanged[quad], exchanged[quad + 1u], exchanged[quad + 2u], exchanged[quad + 3u]),
  );
  let at = queries + quad;
  let shrinks = vec4f(exchanged[at].x, exchanged[at + 1u].x, exchanged[at + 2u].x, exchanged[at + 3u].x);
  return array<vec4f, 5>(turned[0], turned[1], turned[2], turned[3], shrinks);
}
