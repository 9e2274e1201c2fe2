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
  const software = isSoftware(adapter)
  const named: [string, string][] = [
    ['Vendor', vendor],
    ['Architecture', architecture],
    ['Device', device],
    ['Description', description],
  ]
  lines.push(...named.map(([name, value]): [string, string] => [name, value || 'not told']))
  lines.push(['WebGPU', software ? 'there, but this adapter computes on the processor' : 'there'])
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

function isSoftware({ info }: GPUAdapter): boolean {
  const fallback = (info as { readonly isFallbackAdapter?: boolean }).isFallbackAdapter === true
  return (
    fallback ||
    /swiftshader|llvmpipe|lavapipe|basic render|software/i.test(
      `${info.vendor} ${info.architecture} ${info.device} ${info.description}`,
    )
  )
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
