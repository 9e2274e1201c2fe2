import { type LayerNormData, layerNormCases, loadLayerNorm } from '../../kernels/layer-norm/cases.ts'
import { layerNorm } from '../../kernels/layer-norm/layer-norm.ts'
import { assertRefused, assertWithin, itComputes, itKeepsBits, onEveryDevice, onlyOutput, type Part } from './check.ts'
import { golden, goldenTolerance } from './goldens.ts'
import { matrixOf, layerNorm as naive } from './naive.ts'

const rowsAlone = (data: LayerNormData): Part<LayerNormData>[] =>
  Array.from({ length: data.rows }, (_, row) => {
    const at = row * data.width
    return { at, data: { ...data, rows: 1, x: data.x.slice(at, at + data.width) } }
  })

const goldenCase = { operation: 'layer-norm', name: 'golden', load: loadLayerNorm }

onEveryDevice('layer norm', 'layer-norm', (device, under) => {
  itComputes(device, under, layerNormCases(), ({ x, width, weight, bias, epsilon }) =>
    matrixOf(x, width).map((row) => naive(row, [...weight], [...bias], epsilon)),
  )
  itKeepsBits(device, layerNormCases(), rowsAlone)

  for (const width of [1, 2, 63, 64, 768, 2048]) {
    for (const epsilon of [1e-12, 1e-6]) {
      it(`golden values, ${width} wide, epsilon ${epsilon}`, async () => {
        const name = `layer_norm/${width}`
        const data: LayerNormData = {
          rows: 7,
          width,
          x: golden(`${name}/x`),
          weight: golden(`${name}/weight`),
          bias: golden(`${name}/bias`),
          epsilon,
          inPlace: false,
        }
        const want = matrixOf(golden(`${name}/y_eps${epsilon === 1e-6 ? '1e-6' : '1e-12'}`), width)
        assertWithin(await onlyOutput(device(), goldenCase, data), want, { error: goldenTolerance, per: 'row' })
      })
    }
  }

  it('refuses tensors that do not fit', () => {
    const scope = device().scope()
    try {
      const x = scope.scratch('x', [4, 6])
      const norm = { weight: scope.scratch('gain', [6]), bias: scope.scratch('shift', [6]), epsilon: 1e-6 }
      assertRefused(
        () => layerNorm(scope, x, { ...norm, weight: scope.scratch('gain', [5]) }),
        'SHAPE_MISMATCH',
        'layer-norm weight: expected shape (6), found (5) in gain',
      )
      assertRefused(
        () => layerNorm(scope, x, { ...norm, bias: scope.scratch('shift', [1, 6]) }),
        'SHAPE_MISMATCH',
        'layer-norm bias: expected shape (6), found (1, 6) in shift',
      )
      assertRefused(
        () => layerNorm(scope, scope.scratch('x', [4, 6], 'f16'), norm),
        'SHAPE_MISMATCH',
        'layer-norm x: expected dtype f32, found f16 in x',
      )
    } finally {
      scope.end()
    }
  })
})
