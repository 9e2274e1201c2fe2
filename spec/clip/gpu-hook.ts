/** A GPU that keeps the devices it made, so that a test can end them. */
export interface HookedGpu {
  readonly gpu: GPU
  readonly devices: GPUDevice[]
}

export interface GpuHooks {
  readonly onDevice?: (device: GPUDevice, count: number) => void
  /** Replaces properties of the adapter with this number, from 1. */
  readonly adapter?: (count: number) => Partial<GPUAdapter> | null
}

export function hookedGpu(real: GPU, { onDevice, adapter: replaced }: GpuHooks = {}): HookedGpu {
  const devices: GPUDevice[] = []
  let adapters = 0
  const requestAdapter = async (options?: GPURequestAdapterOptions) => {
    const changes = replaced?.(++adapters)
    const adapter = changes === null ? null : await real.requestAdapter(options)
    if (!adapter) return null
    const requestDevice = async (descriptor?: GPUDeviceDescriptor) => {
      const device = await adapter.requestDevice(descriptor)
      devices.push(device)
      onDevice?.(device, devices.length)
      return device
    }
    return overlaid(adapter, { requestDevice, ...changes })
  }
  return { gpu: overlaid(real, { requestAdapter }), devices }
}

/** `target` with some properties replaced; its methods keep their own `this`. */
function overlaid<T extends object>(target: T, replaced: Partial<T>): T {
  return new Proxy(target, {
    get(_, key) {
      const value: unknown = key in replaced ? replaced[key as keyof T] : Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
