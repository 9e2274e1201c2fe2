// The activations of kernels/activation.ts.

// e^x for x ≤ 0 to about 1.2 units in the last place, 0 below -87.336: x = n·ln 2 + r in two pieces (Cody and Waite), a
// polynomial of degree 6 in r (the coefficients of Cephes' expf, Stephen Moshier), n added to the exponent. WGSL allows its own
// exp 3 + 2 |x| units. NaN gives any number: the callers multiply by x.
fn exponential(x: f32) -> f32 {
  let n = round(x * 1.44269504088896341);
  let r = fma(n, 2.12194440e-4, fma(n, -0.693359375, x));
  var p = fma(1.9875691500e-4, r, 1.3981999507e-3);
  p = fma(p, r, 8.3334519073e-3);
  p = fma(p, r, 4.1665795894e-2);
  p = fma(p, r, 1.6666665459e-1);
  p = fma(p, r, 5.0000001201e-1);
  p = fma(p, r * r, r) + 1.0;
  let power = bitcast<f32>(bitcast<i32>(p) + (i32(max(n, -126.0)) << 23u));
  return select(power, 0.0, x < -87.33654);
}

// x / (1 + e^-x), with an exponent that cannot overflow
fn silu(x: f32) -> f32 {
  let e = exponential(-abs(x));
  return x * select(e, 1.0, x >= 0.0) / (1.0 + e);
}

// x · ½ erfc(-x / √2) = max(x, 0) - a · ½ erfc(a / √2), a = |x|. The second term is e^(-a²/2) times a rational function that fits
// ½ erfc(a / √2) e^(a²/2) on [0, 14] to 5.6e-9 of it, the one of kernels/common.as.ts.
fn gelu(x: f32) -> f32 {
  let a = abs(x);
  let t = min(a, 14.0);
  var p = fma(0.004077594580722321, t, 0.04037244920942789);
  p = fma(p, t, 0.1824615175113676);
  p = fma(p, t, 0.43725048392966626);
  p = fma(p, t, 0.5000000027573669);
  var q = fma(0.010220885112629472, t, 0.10120553279291733);
  q = fma(q, t, 0.4674282748418519);
  q = fma(q, t, 1.19928942398825);
  q = fma(q, t, 1.6723859231864515);
  q = fma(q, t, 1.0);
  let tail = t * exponential(-0.5 * t * t) * (p / q);
  return (0.5 * x + 0.5 * a) - tail; // ½x + ½a is max(x, 0), but NaN for NaN and -∞
}

// kind: 0 none, 1 GELU, 2 SiLU
fn activate(kind: u32, x: f32) -> f32 {
  if (kind == 1u) { return gelu(x); }
  if (kind == 2u) { return silu(x); }
  return x;
}
