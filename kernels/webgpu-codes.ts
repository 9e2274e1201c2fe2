import type { Activation } from './activation.ts'

/** The kinds of activation.wgsl. */
export function activationCode(activation: Activation | undefined): number {
  return activation === undefined ? 0 : activation === 'gelu' ? 1 : 2
}
