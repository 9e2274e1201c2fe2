import { attention } from '../../kernels/attention/attention.ts'
import { batchInputs, type Case, randomValues } from '../../kernels/case.ts'
import { type LinearData, linearCases } from '../../kernels/linear/cases.ts'
import { linear } from '../../kernels/linear/linear.ts'
import { equalBatch } from '../../runtime/batch.ts'
import type { Device, Scope } from '../../runtime/device.ts'
import type { Tensor } from '../../runtime/tensor.ts'

/** A case that is quick and uses most of what a device does. */
export function quickCase(): Case<LinearData> {
  return linearCases().find(({ name }) => name === 'into rows, gate, residual')!
}

/** A device, or several, that end with the test. */
export async function withDevice(
  create: () => Promise<Device>,
  body: (device: Device) => Promise<void>,
): Promise<void> {
  const device = await create()
  try {
    await body(device)
  } finally {
    device.dispose()
  }
}

/** Records `count` products of (size, size) with (size, size), one after the other: 2 · count · size³ flops. */
export async function longLinear(device: Device, size: number, count: number): Promise<(scope: Scope) => Tensor> {
  const weight = device.allocate({ label: 'weight', role: 'matrix', shape: [size, size], dtype: 'f32' })
  await device.write(weight, 'f32', randomValues('long linear', size * size, 1 / Math.sqrt(size)))
  const values = randomValues('long linear x', size * size)
  return (scope) => {
    let x = scope.input('x', 'f32', [size, size], values)
    for (let i = 0; i < count; i++) x = linear(scope, x, { weight })
    return scope.output(x)
  }
}

/** Records `count` attentions over the same sequence of `tokens`, 2 heads of 64. */
export function longAttention(tokens: number, count: number): (scope: Scope) => Tensor {
  const values = randomValues('long attention', tokens * 384)
  return (scope) => {
    const batch = batchInputs(scope, equalBatch(1, tokens))
    const qkv = scope.input('qkv', 'f32', [tokens, 384], values)
    let y: Tensor | undefined
    for (let i = 0; i < count; i++) y = attention(scope, { qkv, batch, heads: 2, scale: 1 / 8 })
    return scope.output(y!)
  }
}
