import { BareclipError, invariant, messageOf } from '../errors.ts'
import { computeStage } from './constants.ts'
import type { PipelineSpec, Shader, ShaderBinding, ShaderUniform } from './kernel.ts'

export interface Pipeline {
  /** Printable and unique: files, aliases, constants. */
  readonly key: string
  readonly pipeline: GPUComputePipeline
  /** In order of their numbers. */
  readonly bindings: readonly ShaderBinding[]
  readonly layout: GPUBindGroupLayout
  /** Pipelines with the same bindings share their bind groups. */
  readonly layoutKey: string
  readonly uniforms: readonly ShaderUniform[]
  /** What compiling took, side by side with others, in milliseconds. */
  readonly ms: number
}

export interface Pipelines {
  /** Of group 1: one uniform buffer with a dynamic offset. */
  readonly uniformLayout: GPUBindGroupLayout
  /** Compiles in parallel what was not compiled before. Throws DEVICE_UNAVAILABLE if a shader does not compile here. */
  prepare(specs: readonly PipelineSpec[], onProgress?: (done: number, total: number) => void): Promise<void>
  /** Undefined before it is compiled. */
  find(key: string): Pipeline | undefined
  /** After `prepare`. */
  get(spec: PipelineSpec): Pipeline
}

export function createPipelines(device: GPUDevice): Pipelines {
  const layouts = new Map<string, GPUBindGroupLayout>()
  const compiling = new Map<string, Promise<Pipeline>>()
  const compiled = new Map<string, Pipeline>()
  const known = new WeakMap<PipelineSpec, Pipeline>()
  const uniformLayout = device.createBindGroupLayout({
    entries: [{ binding: 0, visibility: computeStage, buffer: { type: 'uniform', hasDynamicOffset: true } }],
  })

  const layoutOf = (key: string, bindings: readonly ShaderBinding[]) => {
    let layout = layouts.get(key)
    if (!layout) {
      const entries = bindings.map(({ binding, access }) => ({
        binding,
        visibility: computeStage,
        buffer: { type: access === 'read' ? 'read-only-storage' : 'storage' } as const,
      }))
      layout = device.createBindGroupLayout({ entries })
      layouts.set(key, layout)
    }
    return layout
  }

  const compile = async (key: string, spec: PipelineSpec): Promise<Pipeline> => {
    const bindings = spec.files.flatMap((file) => file.bindings).sort((a, b) => a.binding - b.binding)
    const uniforms = spec.files.flatMap((file) => file.uniforms)
    const layoutKey = bindings.map(({ binding, access }) => `${binding}${access === 'read' ? 'r' : 'w'}`).join(' ')
    const layout = layoutOf(layoutKey, bindings)
    const module = moduleOf(spec)
    const start = performance.now()
    device.pushErrorScope('validation')
    const shader = device.createShaderModule({ label: key, code: module.code })
    const mistake = device.popErrorScope()
    const made = device.createComputePipelineAsync({
      label: key,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout, uniformLayout] }),
      compute: { module: shader, entryPoint: 'main' },
    })
    try {
      const pipeline = await made
      return { key, pipeline, bindings, layout, layoutKey, uniforms, ms: performance.now() - start }
    } catch (cause) {
      const reported = await shader.getCompilationInfo().catch(() => undefined)
      const messages = (reported?.messages ?? []).filter(({ type }) => type === 'error')
      const other = (await mistake.catch(() => null))?.message ?? messageOf(cause)
      const text = messages.length > 0 ? messages.map((message) => module.explain(message)).join('\n') : other
      throw new BareclipError('DEVICE_UNAVAILABLE', `the shader ${key} does not compile here: ${text}`, { cause })
    }
  }

  return {
    uniformLayout,
    find: (key) => compiled.get(key),
    async prepare(specs, onProgress) {
      const missing = new Map<string, PipelineSpec[]>()
      for (const spec of specs) {
        if (known.has(spec)) continue
        const key = keyOf(spec)
        const pipeline = compiled.get(key)
        if (pipeline) known.set(spec, pipeline)
        else missing.set(key, [...(missing.get(key) ?? []), spec])
      }
      let done = 0
      await Promise.all(
        [...missing].map(async ([key, alike]) => {
          const promise = compiling.get(key) ?? compile(key, alike[0]!)
          compiling.set(key, promise)
          try {
            const pipeline = await promise
            compiled.set(key, pipeline)
            for (const spec of alike) known.set(spec, pipeline)
            onProgress?.(++done, missing.size)
          } finally {
            compiling.delete(key)
          }
        }),
      )
    },
    get(spec) {
      const pipeline = known.get(spec)
      if (!pipeline) invariant(false, `${keyOf(spec)} is used before it is compiled`)
      return pipeline
    },
  }
}

/** linear/tiled + linear/weight-f32, columns 4, gate true */
export function keyOf({ files, constants = {}, aliases = {} }: PipelineSpec): string {
  const values = [...Object.entries(aliases), ...Object.entries(constants)].map(([name, value]) => `, ${name} ${value}`)
  return files.map(({ name }) => name).join(' + ') + values.join('')
}

/** The file with the entry point, without its folder: tiled */
export function variantOf({ files }: PipelineSpec): string {
  const { name } = files.at(-1)!
  return name.slice(name.lastIndexOf('/') + 1)
}

interface ModuleText {
  readonly code: string
  /** file:line:column: what is wrong, and the lines around. */
  explain(message: GPUCompilationMessage): string
}

function moduleOf({ files, constants = {}, aliases = {}, enable = [], unchecked = [] }: PipelineSpec): ModuleText {
  const prologue: Shader = {
    name: 'prologue',
    bindings: [],
    uniforms: [],
    code: [
      ...unchecked.map((rule) => `diagnostic(off, ${rule});`),
      ...enable.map((name) => `enable ${name};`),
      ...Object.entries(aliases).map(([name, type]) => `alias ${name} = ${type};`),
      ...Object.entries(constants).map(([name, value]) =>
        typeof value === 'boolean' ? `const ${name}: bool = ${value};` : `const ${name}: u32 = ${value}u;`,
      ),
      '',
    ].join('\n'),
  }
  const parts = [prologue, ...files]
  return {
    code: parts.map(({ code }) => code).join('\n'),
    explain({ lineNum, linePos, message }) {
      let line = lineNum
      for (const { name, code } of parts) {
        const lines = code.split('\n')
        if (line <= lines.length) {
          const around = lines.slice(Math.max(0, line - 2), line + 1).map((text) => `\n  ${text}`)
          return `${name}:${line}:${linePos}: ${message}${around.join('')}`
        }
        line -= lines.length
      }
      return message
    },
  }
}
