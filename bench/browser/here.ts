import { describeAdapter } from '../../runtime/webgpu/open.ts'
import { softwareNote } from '../software.ts'

/** What the page found out about the browser and its graphics adapter. */
export interface Here {
  /** Whether WebGPU gives an adapter; else why not. */
  readonly gpu: true | string
  /** The adapter computes on the processor. */
  readonly software: boolean
  readonly lines: readonly (readonly [string, string])[]
  readonly features: readonly string[]
  readonly limits: readonly (readonly [string, number])[]
}

export async function lookAround(browser: string, cores: number): Promise<Here> {
  const adapter = await adapterOf()
  const threads = crossOriginIsolated
    ? `${cores} ${cores === 1 ? 'core' : 'cores'}, threads with shared memory`
    : `${cores} ${cores === 1 ? 'core' : 'cores'}, but one thread: this page is not cross-origin isolated`
  const lines: [string, string][] = [
    ['Browser', browser],
    ['Processor', threads],
  ]
  if (typeof adapter === 'string') {
    return { gpu: adapter, software: false, lines: [...lines, ['WebGPU', adapter]], features: [], limits: [] }
  }
  const { vendor, architecture, device, description } = adapter.info
  const { software } = describeAdapter(adapter.info).traits
  const named: [string, string][] = [
    ['Vendor', vendor],
    ['Architecture', architecture],
    ['Device', device],
    ['Description', description],
  ]
  lines.push(...named.map(([name, value]): [string, string] => [name, value || 'not told']))
  lines.push(['WebGPU', software ? softwareNote : 'there'])
  // limits are accessors of the prototype: no own keys
  const names = Object.keys(Object.getPrototypeOf(adapter.limits) ?? {})
  return {
    gpu: true,
    software,
    lines,
    features: [...adapter.features].sort(),
    limits: names.flatMap((name) => {
      const value = (adapter.limits as unknown as Readonly<Record<string, unknown>>)[name]
      return typeof value === 'number' ? [[name, value] as const] : []
    }),
  }
}

async function adapterOf(): Promise<GPUAdapter | string> {
  const gpu = (navigator as { readonly gpu?: GPU }).gpu
  if (!gpu) return 'not in this browser'
  try {
    return (
      (await gpu.requestAdapter({ powerPreference: 'high-performance' })) ??
      'no adapter: the browser has none, or its driver is on a list of bad ones'
    )
  } catch (error) {
    return `no adapter: ${error instanceof Error ? error.message : String(error)}`
  }
}
