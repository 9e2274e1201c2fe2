import type { DeviceInfo } from '../../runtime/device.ts'
import { BareclipError } from '../../runtime/errors.ts'
import { type BenchDevice, type KernelOptions, kernelDtypes, kernelOperations } from './options.ts'
import type { KernelEntry, KernelReport, KernelSettings, Roof } from './report.ts'
import { shapesFor } from './shapes/shapes.ts'
import { benchTarget } from './target-run.ts'
import { createReferenceTarget } from './targets/reference.ts'
import type { Target } from './targets/target.ts'
import { createWasmTarget } from './targets/wasm.ts'
import { createWebgpuTarget } from './targets/webgpu.ts'
import { entryOf } from './time.ts'

/** Throws INVALID_ARGUMENT where nothing is left to run, DEVICE_UNAVAILABLE, OUT_OF_MEMORY and the signal's reason. */
export async function benchKernels(options: KernelOptions): Promise<KernelReport> {
  const { machine, quick = false } = options
  const date = new Date().toISOString()
  const operations = options.operations ?? kernelOperations
  const dtypes = options.dtypes ?? kernelDtypes
  const devices = options.devices ?? (['wasm', 'webgpu'] as const)
  const infos: DeviceInfo[] = []
  const roofs: Roof[] = []
  const kernels: KernelEntry[] = []
  for (const name of devices) {
    const target = await createTarget(name, options)
    if (!target) continue
    try {
      const shapes = shapesFor({ operations, dtypes, sizes: options.shapes, quick: quick || target.slow })
      const measured = await benchTarget(target, operations, shapes, options)
      if (measured.length === 0) continue
      infos.push(target.info)
      roofs.push(...target.roofs)
      kernels.push(...measured.map((one) => entryOf(one, target)))
    } finally {
      target.dispose()
    }
  }
  if (kernels.length === 0) {
    const asked = options.variants
      ? `no variant has ${options.variants.join(', ')} in its name`
      : 'no device has such a kernel'
    throw new BareclipError('INVALID_ARGUMENT', `nothing to measure: ${asked}`)
  }
  const settings: KernelSettings = {
    ...{ operations, dtypes, devices, quick },
    shapes: options.shapes ?? [],
    variants: options.variants ?? [],
    threads: options.threads ?? null,
  }
  return {
    schema: 'bareclip-bench-kernels-1',
    machine,
    date,
    settings,
    device: infos[0]!,
    devices: infos,
    roofs,
    kernels,
  }
}

/** → undefined where there is no such device and nobody asked for it */
async function createTarget(name: BenchDevice, options: KernelOptions): Promise<Target | undefined> {
  const { threads, tables, signal, gpu } = options
  if (name === 'reference') return createReferenceTarget()
  if (name === 'wasm') return createWasmTarget({ threads, table: tables?.wasm, signal })
  const asked = options.devices !== undefined
  try {
    if (!gpu) throw new BareclipError('DEVICE_UNAVAILABLE', 'no WebGPU was handed in')
    const target = await createWebgpuTarget({ gpu: await gpu(), table: tables?.webgpu, signal })
    if (asked || !target.slow) return target
    target.dispose()
  } catch (error) {
    if (asked || !(error instanceof BareclipError && error.code === 'DEVICE_UNAVAILABLE')) throw error
  }
  return undefined
}
