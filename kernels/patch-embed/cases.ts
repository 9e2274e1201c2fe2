import type { Dtype } from '../../runtime/dtype.ts'
import {
  type Case,
  type HostWeight,
  randomValues,
  randomWeight,
  scaleRows,
  unitRoundoff,
  weightLoader,
  withValues,
} from '../case.ts'
import { type PatchEmbedParameters, patchEmbedOperation } from './patch-embed.ts'

export interface PatchEmbedData {
  readonly images: number
  readonly size: number
  readonly patch: number
  readonly hidden: number
  /** (images, 3, size, size) */
  readonly pixels: Float32Array
  /** (hidden, 3 · patch · patch) */
  readonly weight: HostWeight
  /** (hidden) */
  readonly bias: Float32Array
  /** (hidden) */
  readonly classToken: Float32Array
  /** (1 + grid², hidden), flat */
  readonly position: Float32Array
}

export const loadPatchEmbed: Case<PatchEmbedData>['load'] = async (device, data) => {
  const { images, size, patch, hidden } = data
  const loader = weightLoader(device)
  const weight = await loader.put('weight', 'matrix', data.weight)
  const bias = await loader.vector('bias', data.bias)
  const classToken = await loader.vector('class token', data.classToken)
  const position = await loader.vector('position', data.position)
  return {
    weights: loader.weights,
    record(scope) {
      const pixels = scope.input('pixels', 'f32', [images, 3, size, size], data.pixels)
      const y = scope.scratch('y', [images * (1 + Math.floor(size / patch) ** 2), hidden])
      scope.record(patchEmbedOperation, {
        pixels,
        patch,
        weight,
        bias,
        classToken,
        position,
        y,
      } satisfies PatchEmbedParameters)
      return [scope.output(y)]
    },
  }
}

interface Options {
  readonly dtype?: Dtype
  readonly nonFinite?: boolean
  readonly pixels?: (pixels: Float32Array, imagePixels: number) => Float32Array
}

function patchEmbedCase(
  name: string,
  images: number,
  size: number,
  patch: number,
  hidden: number,
  { dtype = 'f32', nonFinite = false, pixels = (values) => values }: Options = {},
): Case<PatchEmbedData> {
  const width = 3 * patch * patch
  return {
    operation: patchEmbedOperation.name,
    name,
    tolerance: {
      error: unitRoundoff * (8 + 2 * Math.sqrt(width)),
      per: 'tensor',
      reason: 'as linear: rounding errors of a float32 sum over k grow with √k; rows have one scale and may be short',
    },
    nonFinite,
    data: () => ({
      images,
      size,
      patch,
      hidden,
      pixels: pixels(randomValues(`patch-embed pixels ${name}`, images * 3 * size * size), 3 * size * size),
      weight: randomWeight(`patch-embed weight ${name}`, [hidden, width], dtype, 1 / Math.sqrt(width)),
      bias: randomValues(`patch-embed bias ${name}`, hidden),
      classToken: randomValues(`patch-embed class token ${name}`, hidden),
      position: randomValues(`patch-embed position ${name}`, (1 + Math.floor(size / patch) ** 2) * hidden),
    }),
    load: loadPatchEmbed,
  }
}

export function patchEmbedCases(): Case<PatchEmbedData>[] {
  return [
    patchEmbedCase('1 patch of 1 pixel', 1, 1, 1, 1),
    patchEmbedCase('2x2 patches of 2', 1, 4, 2, 5),
    patchEmbedCase('size 5, patch 2: one line left over', 2, 5, 2, 7),
    patchEmbedCase('size 32, patch 14: four lines left over', 3, 32, 14, 33),
    patchEmbedCase('size 13, patch 7: six lines left over', 1, 13, 7, 64),
    patchEmbedCase('size 3, patch 4: the class token alone', 2, 3, 4, 6),
    patchEmbedCase('one patch as large as the image', 4, 16, 16, 65),
    patchEmbedCase('52 patches of 20, 1200 elements each', 13, 40, 20, 9),
    patchEmbedCase('no images', 0, 8, 4, 16),
    patchEmbedCase('17 images', 17, 6, 3, 31),
    patchEmbedCase('224 pixels, patch 16, 24 channels', 1, 224, 16, 24),
    patchEmbedCase('64 pixels, patch 16, 768 channels', 1, 64, 16, 768),
    patchEmbedCase('f16 weight', 2, 12, 4, 33, { dtype: 'f16' }),
    patchEmbedCase('bf16 weight', 2, 12, 4, 33, { dtype: 'bf16' }),
    patchEmbedCase('images of 1e-6 and of 1e4', 2, 8, 4, 16, {
      pixels: (pixels, imagePixels) => scaleRows(pixels, imagePixels, [1e-6, 1e4]),
    }),
    patchEmbedCase('NaN and infinity stay in their patches', 2, 8, 4, 16, {
      nonFinite: true,
      pixels: (pixels) => withValues(pixels, { 9: Number.NaN, 380: Number.POSITIVE_INFINITY }),
    }),
    patchEmbedCase('NaN in pixels that are left over', 1, 5, 2, 8, {
      pixels: (pixels) => pixels.map((value, i) => (i % 5 === 4 || i % 25 >= 20 ? Number.NaN : value)),
    }),
  ]
}
