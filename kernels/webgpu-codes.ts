import type { Dtype } from '../runtime/dtype.ts'
import { invariant } from '../runtime/errors.ts'
import type { Activation } from './activation.ts'

/** The kinds of activation.wgsl. */
export function activationCode(activation: Activation | undefined): number {
  return activation === undefined ? 0 : activation === 'gelu' ? 1 : 2
}

/** The dtypes of tables in embedding.wgsl. */
export function tableCode(dtype: Dtype): number {
  const code = ['f32', 'f16', 'bf16'].indexOf(dtype)
  invariant(code >= 0, `a table of ${dtype}`)
  return code
}
