import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import type { Operation } from '../../runtime/device.ts'
import { BareclipError } from '../../runtime/errors.ts'
import { createRecording } from '../../runtime/scope.ts'

const operation: Operation<{ readonly fits: boolean }> = {
  name: 'nothing',
  validate({ fits }) {
    if (!fits) throw new BareclipError('SHAPE_MISMATCH', 'nothing: does not fit')
  },
  reads: () => [],
  writes: () => [],
  flops: () => 0,
  bytes: () => 0,
}

describe('recording', () => {
  it('makes tensors with storages of their own', () => {
    const scope = createRecording(() => {})
    const x = scope.input('x', 'f16', [2, 3], new Uint16Array(6))
    const y = scope.scratch('y', [2, 3])
    const z = scope.scratch('z', [5], 'i8')
    deepEqual([x.dtype, y.dtype, z.dtype], ['f16', 'f32', 'i8'])
    deepEqual([x.storage.bytes, y.storage.bytes, z.storage.bytes], [12, 24, 5])
    equal(new Set([x.storage, y.storage, z.storage]).size, 3)
    ok([x, y, z].every(({ storage, offset }) => storage.lifetime === 'scratch' && offset === 0))
    deepEqual([...scope.inputs.keys()], [x])
  })

  it('an input needs as many values as its shape has', () => {
    const scope = createRecording(() => {})
    throws(() => scope.input('x', 'f32', [2, 3], new Float32Array(5)), /bareclip bug: x: 5 values for shape \(2, 3\)/)
  })

  it('keeps commands in order, and none that does not validate', () => {
    const scope = createRecording(() => {})
    scope.record(operation, { fits: true })
    throws(() => scope.record(operation, { fits: false }), /nothing: does not fit/)
    scope.record(operation, { fits: true })
    equal(scope.commands.length, 2)
  })

  it('marks an output once and hands it back', () => {
    const scope = createRecording(() => {})
    const y = scope.scratch('y', [1])
    equal(scope.output(y), y)
    scope.output(y)
    equal(scope.outputs.size, 1)
  })

  it('ends once; then nothing more is recorded', () => {
    let ends = 0
    const scope = createRecording(() => ends++)
    ok(!scope.ended)
    scope.end()
    scope.end()
    equal(ends, 1)
    ok(scope.ended)
    throws(() => scope.scratch('y', [1]), /bareclip bug: y is made in a scope that has ended/)
    throws(() => scope.input('x', 'f32', [1], new Float32Array(1)), /bareclip bug: x is made in a scope that has ended/)
    throws(() => scope.record(operation, { fits: true }), /bareclip bug: nothing is recorded in a scope that has ended/)
  })
})
