import { madd, param } from '../../kernels/common.as'
export { setScratch } from '../../kernels/common.as'

// What a processor can do at most, as WebAssembly: the roofs that the kernels are measured against. A module of its own, so that
// the library does not grow. Every value depends on the one before, so nothing can be left out or computed once; a dozen or two of
// independent chains hide the latency.

/**
 * 12 chains of 4 lanes, 2 links each per round. Parameters: rounds, multiplicand and addend (two v128), where each unit leaves
 * a v128.
 */
export function multiplyAdd12(parameters: usize, from: i32, to: i32): void {
  const rounds = param(parameters, 0)
  const values = param(parameters, 1)
  const results = param(parameters, 2)
  const x = v128.load(values)
  const y = v128.load(values, 16)
  for (let unit = from; unit < to; unit++) {
    let a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y, k = y, l = y
    for (let round: usize = 0; round < rounds; round++) {
      a = madd(a, x, y); b = madd(b, x, y); c = madd(c, x, y); d = madd(d, x, y)
      e = madd(e, x, y); f = madd(f, x, y); g = madd(g, x, y); h = madd(h, x, y)
      i = madd(i, x, y); j = madd(j, x, y); k = madd(k, x, y); l = madd(l, x, y)
      a = madd(a, x, y); b = madd(b, x, y); c = madd(c, x, y); d = madd(d, x, y)
      e = madd(e, x, y); f = madd(f, x, y); g = madd(g, x, y); h = madd(h, x, y)
      i = madd(i, x, y); j = madd(j, x, y); k = madd(k, x, y); l = madd(l, x, y)
    }
    const first = f32x4.add(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), f32x4.add(f32x4.add(e, f), f32x4.add(g, h)))
    v128.store(results + (unit << 4), f32x4.add(first, f32x4.add(f32x4.add(i, j), f32x4.add(k, l))))
  }
}

/** The same with 24 chains, for processors with 32 vector registers: 1 link each per round. */
export function multiplyAdd24(parameters: usize, from: i32, to: i32): void {
  const rounds = param(parameters, 0)
  const values = param(parameters, 1)
  const results = param(parameters, 2)
  const x = v128.load(values)
  const y = v128.load(values, 16)
  for (let unit = from; unit < to; unit++) {
    let a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y, k = y, l = y
    let m = y, n = y, o = y, p = y, q = y, r = y, s = y, t = y, u = y, v = y, w = y, z = y
    for (let round: usize = 0; round < rounds; round++) {
      a = madd(a, x, y); b = madd(b, x, y); c = madd(c, x, y); d = madd(d, x, y)
      e = madd(e, x, y); f = madd(f, x, y); g = madd(g, x, y); h = madd(h, x, y)
      i = madd(i, x, y); j = madd(j, x, y); k = madd(k, x, y); l = madd(l, x, y)
      m = madd(m, x, y); n = madd(n, x, y); o = madd(o, x, y); p = madd(p, x, y)
      q = madd(q, x, y); r = madd(r, x, y); s = madd(s, x, y); t = madd(t, x, y)
      u = madd(u, x, y); v = madd(v, x, y); w = madd(w, x, y); z = madd(z, x, y)
    }
    const first = f32x4.add(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), f32x4.add(f32x4.add(e, f), f32x4.add(g, h)))
    const second = f32x4.add(f32x4.add(f32x4.add(i, j), f32x4.add(k, l)), f32x4.add(f32x4.add(m, n), f32x4.add(o, p)))
    const third = f32x4.add(f32x4.add(f32x4.add(q, r), f32x4.add(s, t)), f32x4.add(f32x4.add(u, v), f32x4.add(w, z)))
    v128.store(results + (unit << 4), f32x4.add(first, f32x4.add(second, third)))
  }
}

/** i32x4.dot_i16x8_s and an addition, 12 chains, 2 links each per round. Parameters as multiplyAdd12. */
export function dot12(parameters: usize, from: i32, to: i32): void {
  const rounds = param(parameters, 0)
  const values = param(parameters, 1)
  const results = param(parameters, 2)
  const x = v128.load(values)
  const y = v128.load(values, 16)
  for (let unit = from; unit < to; unit++) {
    let a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y, k = y, l = y
    for (let round: usize = 0; round < rounds; round++) {
      a = dot(a, x, y); b = dot(b, x, y); c = dot(c, x, y); d = dot(d, x, y)
      e = dot(e, x, y); f = dot(f, x, y); g = dot(g, x, y); h = dot(h, x, y)
      i = dot(i, x, y); j = dot(j, x, y); k = dot(k, x, y); l = dot(l, x, y)
      a = dot(a, x, y); b = dot(b, x, y); c = dot(c, x, y); d = dot(d, x, y)
      e = dot(e, x, y); f = dot(f, x, y); g = dot(g, x, y); h = dot(h, x, y)
      i = dot(i, x, y); j = dot(j, x, y); k = dot(k, x, y); l = dot(l, x, y)
    }
    const first = i32x4.add(i32x4.add(i32x4.add(a, b), i32x4.add(c, d)), i32x4.add(i32x4.add(e, f), i32x4.add(g, h)))
    v128.store(results + (unit << 4), i32x4.add(first, i32x4.add(i32x4.add(i, j), i32x4.add(k, l))))
  }
}

@inline
function dot(a: v128, x: v128, y: v128): v128 {
  return i32x4.add(i32x4.dot_i16x8_s(a, x), y)
}

/** Copies by vectors of 16 bytes. Parameters: source, target, bytes of a unit, a multiple of 64. */
export function copyVectors(parameters: usize, from: i32, to: i32): void {
  const bytes = param(parameters, 2)
  const start = <usize>from * bytes
  const end = <usize>to * bytes
  let source = param(parameters, 0) + start
  let target = param(parameters, 1) + start
  for (let at = start; at < end; at += 64) {
    v128.store(target, v128.load(source))
    v128.store(target, v128.load(source, 16), 16)
    v128.store(target, v128.load(source, 32), 32)
    v128.store(target, v128.load(source, 48), 48)
    source += 64
    target += 64
  }
}

/** The same by the engine's own means. */
export function copyBulk(parameters: usize, from: i32, to: i32): void {
  const bytes = param(parameters, 2)
  const start = <usize>from * bytes
  memory.copy(param(parameters, 1) + start, param(parameters, 0) + start, <usize>(to - from) * bytes)
}

/** Reads and adds up. Parameters: source, where each unit leaves a v128, bytes of a unit, a multiple of 128. */
export function readVectors(parameters: usize, from: i32, to: i32): void {
  const bytes = param(parameters, 2)
  for (let unit = from; unit < to; unit++) {
    let source = param(parameters, 0) + <usize>unit * bytes
    const end = source + bytes
    let a = i32x4.splat(0), b = a, c = a, d = a
    for (; source < end; source += 128) {
      a = i32x4.add(a, v128.load(source))
      b = i32x4.add(b, v128.load(source, 16))
      c = i32x4.add(c, v128.load(source, 32))
      d = i32x4.add(d, v128.load(source, 48))
      a = i32x4.add(a, v128.load(source, 64))
      b = i32x4.add(b, v128.load(source, 80))
      c = i32x4.add(c, v128.load(source, 96))
      d = i32x4.add(d, v128.load(source, 112))
    }
    v128.store(param(parameters, 1) + (unit << 4), i32x4.add(i32x4.add(a, b), i32x4.add(c, d)))
  }
}
