import type { Dtype } from '../runtime/dtype.ts'
import type { Activation } from './activation.ts'

/** How the module's entries are told of an activation: 0 none, 1 GELU, 2 SiLU. */
export function activationCode(activation: Activation | undefined): number {
  return activation === undefined ? 0 : activation === 'gelu' ? 1 : 2
}

/** And of the dtype of a weight: 0 f32, 1 f16, 2 bf16. */
export function dtypeCode(dtype: Dtype): number {
  return ['f32', 'f16', 'bf16'].indexOf(dtype)
}
