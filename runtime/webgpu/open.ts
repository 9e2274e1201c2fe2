import type { Gpu, GpuAdapterInfo, GpuDevice } from '../../platform/globals.ts'
import type { AdapterInfo } from '../device.ts'
import { BareclipError, messageOf } from '../errors.ts'
import type { AdapterTraits } from './kernel.ts'

/** Where the device comes from: a `GPU` (navigator.gpu, or of the webgpu package), or a GPUDevice that stays the caller's. */
export type WebgpuSource = { readonly gpu: Gpu; readonly defaultLimits?: boolean } | { readonly device: GpuDevice }

export interface OpenedDevice {
  readonly device: GpuDevice
  /** Made here, so destroyed here. */
  readonly owned: boolean
  /** For a person to read: vendor, architecture, driver. */
  readonly adapter: string
  readonly traits: AdapterTraits
  /** 'f16', 'subgroups', …: WGSL's names. */
  readonly extensions: ReadonlySet<string>
}

/** Limits that make a difference: as much of them as the adapter has. */
const wanted = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
] as const

/** Of features that bring a WGSL extension, its name. */
const extensionOf = {
  'shader-f16': 'f16',
  subgroups: 'subgroups',
  'chromium-experimental-subgroup-matrix': 'chromium_experimental_subgroup_matrix',
} as const

const features = [...Object.keys(extensionOf), 'timestamp-query'] as GPUFeatureName[]

/** Throws DEVICE_UNAVAILABLE. */
export async function openDevice(source: WebgpuSource): Promise<OpenedDevice> {
  if ('device' in source) return opened(source.device, false, source.device.adapterInfo)
  const adapter = await guarded('an adapter', () => source.gpu.requestAdapter({ powerPreference: 'high-performance' }))
  if (!adapter) {
    throw new BareclipError('DEVICE_UNAVAILABLE', 'WebGPU finds no adapter here: install a driver, or use device wasm')
  }
  const requiredLimits: Record<string, number> = {}
  if (!source.defaultLimits) for (const name of wanted) requiredLimits[name] = adapter.limits[name]
  const requiredFeatures = features.filter((feature) => adapter.features.has(feature))
  const device = await guarded('a device', () => adapter.requestDevice({ requiredFeatures, requiredLimits }))
  return opened(device, true, adapter.info)
}

function opened(device: GpuDevice, owned: boolean, info: GpuAdapterInfo | undefined): OpenedDevice {
  const offered = Object.entries(extensionOf).filter(([feature]) => device.features.has(feature))
  const extensions = new Set<string>(offered.map(([, extension]) => extension))
  return { device, owned, ...describeAdapter(info), extensions }
}

export function describeAdapter(info: GpuAdapterInfo | undefined): Pick<OpenedDevice, 'adapter' | 'traits'> {
  const words = [info?.vendor, info?.architecture, info?.device, info?.description].filter((word) => !!word)
  const adapter = [...new Set(words)].join(', ') || 'unknown adapter'
  return { adapter, traits: traitsOf(info, adapter) }
}

/** Drivers that compute on the processor. Windows names WARP "Microsoft Basic Render Driver". */
const softwareDrivers = /software|swiftshader|llvmpipe|lavapipe|\bwarp\b|basic render/i

/** As Dawn tells of subgroup matrices: not in @webgpu/types. */
interface MatrixConfig {
  readonly componentType: string
  readonly resultComponentType: string
  readonly M: number
  readonly N: number
  readonly K: number
}

export function traitsOf(info: GpuAdapterInfo | undefined, adapter: string): AdapterTraits {
  const told = (info as { subgroupMatrixConfigs?: Iterable<MatrixConfig> } | undefined)?.subgroupMatrixConfigs ?? []
  return {
    software: info?.isFallbackAdapter === true || softwareDrivers.test(adapter),
    subgroupSizes: [info?.subgroupMinSize || 4, info?.subgroupMaxSize || 128], // what WebGPU allows
    subgroupMatrices: [...told].map(({ componentType, resultComponentType, M, N, K }) => ({
      component: componentType,
      result: resultComponentType,
      M,
      N,
      K,
    })),
  }
}

async function guarded<T>(what: string, make: () => Promise<T>): Promise<T> {
  try {
    return await make()
  } catch (cause) {
    const message = `WebGPU gives no ${what.replace(/^an? /, '')} here: ${messageOf(cause)}; use device wasm`
    throw new BareclipError('DEVICE_UNAVAILABLE', message, { cause })
  }
}

/** What `info` tells of it. */
export function adapterInfo({ device, adapter, traits }: OpenedDevice): AdapterInfo {
  return {
    description: adapter,
    software: traits.software,
    features: features.filter((feature) => device.features.has(feature)),
    limits: Object.fromEntries(wanted.map((name) => [name, device.limits[name]])),
  }
}
