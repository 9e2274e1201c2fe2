// The numbers of the WebGPU specification: Node has no globals for them.

export const bufferUsage = {
  mapRead: 0x0001,
  copySource: 0x0004,
  copyTarget: 0x0008,
  uniform: 0x0040,
  storage: 0x0080,
  queryResolve: 0x0200,
} as const

export const mapRead = 1
export const computeStage = 4

/** From one dispatch's uniforms to the next, in bytes: WebGPU's default minUniformBufferOffsetAlignment. */
export const uniformStride = 256
