import { attentionWasm, attentionWholeWasm } from '../../../kernels/attention/wasm.ts'
import { wasmKernels } from '../../../kernels/wasm.ts'
import type { Device, DeviceInfo } from '../../../runtime/device.ts'
import { BareclipError } from '../../../runtime/errors.ts'
import { createWasmDevice } from '../../../runtime/wasm/device.ts'
import type { WasmKernel, WasmTable } from '../../../runtime/wasm/kernel.ts'
import { type ModuleForm, wasmModuleBytes } from '../../../runtime/wasm/module.ts'
import { defaultThreads, mostThreads, threadsPossible } from '../../../runtime/wasm/threads.ts'
import { type TileShape, tileShapes } from '../../../runtime/wasm/tile-choice.ts'
import { createRoofs } from './roofs.ts'
import type { Target, Variant } from './target.ts'
import { createWasmRoofs, dotRoof, floatRoof, type WasmRoofs } from './wasm-roofs.ts'

export interface WasmTargetOptions {
  readonly threads?: number | undefined
  /** Default: kernels/wasm.ts. */
  readonly table?: WasmTable | undefined
  /** Forms of the module to run, of those that the engine takes. */
  readonly forms?: readonly ModuleForm[] | undefined
  readonly signal?: AbortSignal | undefined
}

const shortForm: Readonly<Record<ModuleForm, string>> = { 'relaxed-simd': 'relaxed', simd128: 'simd' }

/** The usual form first. Throws DEVICE_UNAVAILABLE, OUT_OF_MEMORY. */
export async function createWasmTarget({
  threads: asked,
  table = wasmKernels,
  forms,
  signal,
}: WasmTargetOptions): Promise<Target> {
  const possible = threadsPossible()
  const threads = possible.possible ? Math.min(asked ?? defaultThreads(), mostThreads) : 1
  const parts: FormPart[] = []
  const roofs = createRoofs('wasm')
  const dispose = () => {
    for (const { device, roofs } of parts) {
      device.dispose()
      roofs.dispose()
    }
  }
  try {
    const missing: string[] = []
    for (const form of ['relaxed-simd', 'simd128'] as const) {
      if (forms && !forms.includes(form)) continue
      const part = await createPart(form, parts[0]?.form ?? form, threads, table)
      if (part) parts.push(part)
      else missing.push(`this engine has no ${form}`)
    }
    const [usual] = parts
    if (!usual) throw new BareclipError('DEVICE_UNAVAILABLE', `no wasm kernels here: ${missing.join(', ')}`)
    const single = possible.possible ? [] : [`one thread: ${possible.reason}`]
    const info: DeviceInfo = {
      device: 'wasm',
      threads,
      reason: ['for the bench', ...missing, ...single].join('; '),
      variants: { module: parts.map(({ form }) => form).join(', ') },
    }
    return {
      info,
      timestamps: false,
      slow: false,
      get roofs() {
        return roofs.list
      },
      variants: (operation, dtype) => parts.flatMap((part) => part.variants(operation, dtype)),
      ceilings({ operation, dtype }, variant) {
        const part = parts.find(({ form }) => variant.endsWith(shortForm[form])) ?? usual
        const integers = operation === 'linear' && (dtype === 'q8' || dtype === 'q12')
        const name = integers ? dotRoof : floatRoof(part.form, usual.form)
        return { peak: { name, rate: roofs.rate(name) }, copy: roofs.rate('copy'), read: roofs.rate('read') }
      },
      async measureRoofs(share) {
        for (const part of parts) await part.roofs.measure(roofs, share, signal)
      },
      steady: () => usual.roofs.steady(roofs),
      steadyCopy: () => usual.roofs.steadyCopy(),
      dispose,
    }
  } catch (error) {
    dispose()
    throw error
  }
}

interface FormPart {
  readonly form: ModuleForm
  readonly device: Device
  readonly roofs: WasmRoofs
  variants(operation: string, dtype: string): Variant[]
}

/** → undefined where the engine does not take the form */
async function createPart(
  form: ModuleForm,
  usualForm: ModuleForm,
  threads: number,
  table: WasmTable,
): Promise<FormPart | undefined> {
  const shared = threads > 1
  const bytes = await wasmModuleBytes({ relaxed: form === 'relaxed-simd', shared })
  if (!WebAssembly.validate(bytes)) return undefined
  const { shapes, usual } = tileShapes[form]
  let tile: TileShape = shapes[usual]!
  let attention = table.attention
  let steps = 0
  const counted = Object.fromEntries(
    Object.entries(table).map(([operation, kernel]): [string, WasmKernel<never>] => [
      operation,
      (parameters, access) => {
        const made = (operation === 'attention' ? attention! : kernel)(parameters, access)
        steps = made.length
        return made
      },
    ]),
  )
  const device = await createWasmDevice(counted, {
    ...{ threads, reason: 'for the bench', variants: {} },
    module: { module: await WebAssembly.compile(bytes), form, shared },
    tile: {
      get code() {
        return tile.code
      },
      get name() {
        return tile.name
      },
      look() {},
    },
  })
  const variant = (name: string, choose: () => void): Variant => ({
    name: `${name}${shortForm[form]}`,
    device,
    choose() {
      tile = shapes[usual]!
      attention = table.attention
      choose()
    },
    steps: () => steps,
  })
  try {
    return {
      form,
      device,
      roofs: await createWasmRoofs(form, usualForm, threads),
      variants(operation, dtype) {
        if (!table[operation]) return []
        if (operation === 'linear' && (dtype === 'f32' || dtype === 'f16')) {
          return shapes.map((shape) =>
            variant(`${shape.name} `, () => {
              tile = shape
            }),
          )
        }
        if (operation === 'attention' && table.attention === attentionWasm) {
          return [
            variant('leaving out ', () => {}),
            variant('whole ', () => {
              attention = attentionWholeWasm as WasmKernel<never>
            }),
          ]
        }
        return [variant('', () => {})]
      },
    }
  } catch (error) {
    device.dispose()
    throw error
  }
}
