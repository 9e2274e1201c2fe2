import type { DtypeArray } from '../dtype.ts'
import type { Tensor } from '../tensor.ts'

/** The elements of a tensor, in place. Throws (a bug) if the tensor has another dtype. */
export interface Access {
  f32(tensor: Tensor): Float32Array
  i32(tensor: Tensor): Int32Array
  any(tensor: Tensor): DtypeArray
  /** A reader for weights in f32, f16 or bf16. */
  floats(tensor: Tensor): FloatReader
}

/** Weights as float32 values, whatever they are stored in. */
export interface FloatReader {
  /** The whole tensor in place where it is stored as f32. */
  readonly array: Float32Array | undefined
  /** Copies elements start … start + length - 1 into `target`. */
  copy(start: number, length: number, target: Float32Array): void
}

/** Independent pieces of work; any order, any grouping gives the same bits. A piece should stay under a few milliseconds. */
export interface Work {
  readonly units: number
  run(from: number, to: number): void
}

/** A kernel looks its tensors up once and returns the work. */
export type ReferenceKernel<Parameters> = (parameters: Parameters, access: Access) => Work

/** By operation name. */
export type ReferenceTable = Readonly<Record<string, ReferenceKernel<never>>>
