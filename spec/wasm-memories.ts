/** Sees every WebAssembly memory that may grow and that `body` makes; `refuse` may throw in the place of an engine that gives none. */
export async function watchMemories(
  body: (made: readonly WeakRef<WebAssembly.Memory>[]) => Promise<void>,
  refuse: (descriptor: WebAssembly.MemoryDescriptor) => boolean = () => false,
): Promise<void> {
  const { Memory } = WebAssembly
  const made: WeakRef<WebAssembly.Memory>[] = []
  WebAssembly.Memory = class extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      const trial = descriptor.initial === descriptor.maximum // of tiles, or of what a module takes
      if (!trial && refuse(descriptor)) throw new RangeError('WebAssembly.Memory(): could not allocate memory')
      super(descriptor)
      if (!trial) made.push(new WeakRef(this))
    }
  }
  try {
    await body(made)
  } finally {
    WebAssembly.Memory = Memory
  }
}
