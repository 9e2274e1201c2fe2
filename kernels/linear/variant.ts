import type { Dtype } from '../../runtime/dtype.ts'
import type { PipelineSpec, Shader } from '../../runtime/webgpu/kernel.ts'

/** One shape of the tile: which file, and how many rows and columns of y a workgroup computes. */
export interface LinearVariant extends Pick<PipelineSpec, 'constants' | 'aliases' | 'enable' | 'unchecked'> {
  /** The last one has the entry point. */
  readonly files: readonly Shader[]
  readonly tileRows: number
  /** Rows of the weight; a gate takes half of them from each half of it. */
  readonly tileColumns: number
  /** What it takes x as: f32 as it is, 'f16' as narrow.wgsl leaves it. Undefined: f32, and no `rowFactor` is asked for. */
  readonly takes?: 'f32' | 'f16'
  /** In few words: for who asks what runs. */
  readonly why?: string
}

/** What is to be multiplied. */
export interface LinearSize {
  /** Of x. */
  readonly rows: number
  /** Rows of the weight. */
  readonly features: number
  readonly gate: boolean
  /** Of the weight. */
  readonly dtype: Dtype
}

/** The first variant that makes so many workgroups, else the last. */
export function largest(
  variants: readonly LinearVariant[],
  { rows, features }: Pick<LinearSize, 'rows' | 'features'>,
  enough: number,
): LinearVariant {
  const count = ({ tileRows, tileColumns }: LinearVariant) =>
    Math.ceil(rows / tileRows) * Math.ceil(features / tileColumns)
  return variants.find((variant) => count(variant) >= enough) ?? variants[variants.length - 1]!
}
