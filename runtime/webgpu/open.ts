import type { AdapterInfo } from '../device.ts'
import { BareclipError, messageOf } from '../errors.ts'

/** Where the device comes from: a `GPU` (navigator.gpu, or of the webgpu package), or a GPUDevice that stays the caller's. */
export type WebgpuSource = { readonly gpu: GPU; readonly defaultLimits?: boolean } | { readonly device: GPUDevice }

export interface OpenedDevice {
  readonly device: GPUDevice
  /** Made here, so destroyed here. */
  readonly owned: boolean
  /** For a person to read: vendor, architecture, driver. */
  readonly adapter: string
  /** A driver that computes on the processor: far slower. */
  readonly software: boolean
  /** 'f16', 'subgroups': WGSL's names. */
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

const features = ['shader-f16', 'subgroups', 'timestamp-query'] as const

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

function opened(device: GPUDevice, owned: boolean, info: GPUAdapterInfo | undefined): OpenedDevice {
  const extensions = new Set<string>()
  if (device.features.has('shader-f16')) extensions.add('f16')
  if (device.features.has('subgroups')) extensions.add('subgroups')
  return { device, owned, ...describeAdapter(info), extensions }
}

export function describeAdapter(info: GPUAdapterInfo | undefined): Pick<OpenedDevice, 'adapter' | 'software'> {
  const words = [info?.vendor, info?.architecture, info?.device, info?.description].filter((word) => !!word)
  const adapter = [...new Set(words)].join(', ') || 'unknown adapter'
  const software = info?.isFallbackAdapter === true || /software|swiftshader|llvmpipe|warp\b/i.test(adapter)
  return { adapter, software }
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
export function adapterInfo({ device, adapter, software }: OpenedDevice): AdapterInfo {
  return {
    description: adapter,
    software,
    features: features.filter((feature) => device.features.has(feature)),
    limits: Object.fromEntries(wanted.map((name) => [name, device.limits[name]])),
  }
}
