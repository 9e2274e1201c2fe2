import { type PatchEmbedData, patchEmbedCases } from '../../kernels/patch-embed/cases.ts'
import { patchEmbed } from '../../kernels/patch-embed/patch-embed.ts'
import { assertRefused, itComputes, itKeepsBits, onEveryDevice, type Part } from './check.ts'
import { matrixOf, patchEmbed as naive } from './naive.ts'
import { numberOf } from './naive-dtype.ts'

function expected({ images, size, patch, hidden, pixels, weight, bias, classToken, position }: PatchEmbedData) {
  const matrix = matrixOf(
    Array.from(weight.values, (element) => numberOf(weight.dtype, element)),
    3 * patch * patch,
  )
  return Array.from({ length: images }, (_, image) => {
    const channels = matrixOf(pixels.slice(image * 3 * size * size, (image + 1) * 3 * size * size), size * size)
    return naive(
      channels.map((channel) => matrixOf(channel, size)),
      patch,
      matrix,
      [...bias],
      [...classToken],
      matrixOf(position, hidden),
    )
  }).flat()
}

const imagesAlone = (data: PatchEmbedData): Part<PatchEmbedData>[] =>
  Array.from({ length: data.images }, (_, image) => {
    const imagePixels = 3 * data.size * data.size
    const pixels = data.pixels.slice(image * imagePixels, (image + 1) * imagePixels)
    return { at: image * data.position.length, data: { ...data, images: 1, pixels } }
  })

onEveryDevice('patch embedding', 'patch-embed', (device, under) => {
  itComputes(device, under, patchEmbedCases(), expected)
  itKeepsBits(device, patchEmbedCases(), imagesAlone)

  it('refuses tensors that do not fit', () => {
    const scope = device().scope()
    try {
      const fitting = {
        pixels: scope.scratch('pixels', [2, 3, 8, 8]),
        patch: 4,
        weight: scope.scratch('weight', [16, 48]),
        bias: scope.scratch('bias', [16]),
        classToken: scope.scratch('class', [16]),
        position: scope.scratch('position', [5 * 16]),
      }
      patchEmbed(scope, fitting)
      assertRefused(
        () => patchEmbed(scope, { ...fitting, pixels: scope.scratch('pixels', [2, 4, 8, 8]) }),
        'SHAPE_MISMATCH',
        'patch-embed pixels: expected shape (2, 3, 8, 8), found (2, 4, 8, 8) in pixels',
      )
      assertRefused(
        () => patchEmbed(scope, { ...fitting, patch: 2 }),
        'SHAPE_MISMATCH',
        'patch-embed weight: expected shape (16, 12), found (16, 48) in weight',
      )
      assertRefused(
        () => patchEmbed(scope, { ...fitting, position: scope.scratch('position', [4 * 16]) }),
        'SHAPE_MISMATCH',
        'patch-embed position: expected shape (80), found (64) in position',
      )
      assertRefused(
        () => patchEmbed(scope, { ...fitting, classToken: scope.scratch('class', [16], 'f16') }),
        'SHAPE_MISMATCH',
        'patch-embed classToken: expected dtype f32, found f16 in class',
      )
    } finally {
      scope.end()
    }
  })
})
