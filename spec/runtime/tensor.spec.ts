import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import { BareclipError } from '../../runtime/errors.ts'
import { formatShape, sameShape, sizeOf } from '../../runtime/shape.ts'
import { expectTensor, rowsOf, type Tensor } from '../../runtime/tensor.ts'

const tensor = (shape: readonly number[], dtype: Tensor['dtype'] = 'f32'): Tensor => ({
  label: 'x',
  dtype,
  shape,
  storage: { lifetime: 'scratch', bytes: 4 * sizeOf(shape) },
  offset: 0,
})

describe('shapes', () => {
  it('sizes', () => {
    equal(sizeOf([]), 1)
    equal(sizeOf([7]), 7)
    equal(sizeOf([2, 3, 4]), 24)
    equal(sizeOf([2, 0, 4]), 0)
    equal(sizeOf([2 ** 20, 2 ** 20]), 2 ** 40)
  })

  it('are the same only with the same axes', () => {
    ok(sameShape([], []))
    ok(sameShape([2, 3], [2, 3]))
    ok(!sameShape([2, 3], [3, 2]))
    ok(!sameShape([6], [2, 3]))
    ok(!sameShape([2], [2, 1]))
    ok(!sameShape([Number.NaN], [Number.NaN]))
  })

  it('as text', () => {
    equal(formatShape([]), '()')
    equal(formatShape([2, 3]), '(2, 3)')
  })
})

describe('rows of a tensor', () => {
  it('are a window into the same storage', () => {
    const x = tensor([10, 3, 2])
    const rows = rowsOf(x, 4, 7)
    deepEqual(rows, { ...x, shape: [3, 3, 2], offset: 24 })
    ok(rows.storage === x.storage)
    deepEqual(rowsOf(rows, 1, 2), { ...x, shape: [1, 3, 2], offset: 30 })
  })

  it('may be all or none', () => {
    deepEqual(rowsOf(tensor([5, 2]), 0, 5).shape, [5, 2])
    deepEqual(rowsOf(tensor([5, 2]), 5, 5).shape, [0, 2])
    deepEqual(rowsOf(tensor([4]), 1, 3), { ...rowsOf(tensor([4]), 1, 3), shape: [2], offset: 1 })
  })

  it('outside the tensor are a bug', () => {
    throws(() => rowsOf(tensor([5, 2]), 0, 6), /bareclip bug: rows 0…6 of x \(5, 2\)/)
    throws(() => rowsOf(tensor([5, 2]), -1, 2), /bareclip bug/)
    throws(() => rowsOf(tensor([5, 2]), 3, 2), /bareclip bug/)
  })
})

describe('what an operation expects of a tensor', () => {
  const refusal = (check: () => void): BareclipError => {
    try {
      check()
    } catch (error) {
      ok(error instanceof BareclipError)
      equal(error.code, 'SHAPE_MISMATCH')
      return error
    }
    throw new Error('nothing was refused')
  }

  it('accepts the shape and any dtype, or one of those named', () => {
    expectTensor('op x', tensor([2, 3]), [2, 3])
    expectTensor('op x', tensor([2, 3], 'i8'), [2, 3])
    expectTensor('op x', tensor([2, 3], 'f16'), [2, 3], 'f32', 'f16')
  })

  it('names the operation, both shapes and the tensor', () => {
    const { message } = refusal(() => expectTensor('linear x', tensor([2, 3]), [3, 2], 'f32'))
    equal(message, 'linear x: expected shape (3, 2), found (2, 3) in x')
    equal(
      refusal(() => expectTensor('linear x', tensor([]), [1])).message,
      'linear x: expected shape (1), found () in x',
    )
  })

  it('names the dtypes', () => {
    const { message } = refusal(() => expectTensor('linear weight', tensor([2], 'i32'), [2], 'f32', 'f16'))
    equal(message, 'linear weight: expected dtype f32 or f16, found i32 in x')
  })
})
