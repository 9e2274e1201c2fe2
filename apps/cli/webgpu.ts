import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { BareclipError, messageOf } from '../../runtime/errors.ts'

/** Of the runtime itself (Deno), else Dawn's, from the npm package webgpu where it is installed. */
export function gpuOf(device: 'auto' | 'reference' | 'wasm' | 'webgpu' | undefined): (() => Promise<GPU>) | undefined {
  if (device === 'reference' || device === 'wasm') return undefined
  return async () => (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu ?? dawn(device === 'webgpu')
}

/** Collected as garbage, Dawn's GPU would take the process with it. */
const pinned = globalThis as { bareclipGpu?: GPU }

/** With the options of DAWN_OPTS, split at semicolons. Throws DEVICE_UNAVAILABLE. named: the user asked for the device by name. */
async function dawn(named: boolean): Promise<GPU> {
  if (pinned.bareclipGpu) return pinned.bareclipGpu
  const found = packagePath(named)
  if (found === undefined) {
    throw new BareclipError(
      'DEVICE_UNAVAILABLE',
      'the package webgpu is not installed; `npm install webgpu` in your project, or `npm install --global webgpu`, brings it',
    )
  }
  try {
    const { create } = (await import(pathToFileURL(found).href)) as { create(options: readonly string[]): GPU }
    pinned.bareclipGpu = create((process.env.DAWN_OPTS ?? '').split(';').filter((option) => option !== ''))
    return pinned.bareclipGpu
  } catch (cause) {
    const [message] = messageOf(cause).split('\n')
    throw new BareclipError('DEVICE_UNAVAILABLE', `the package webgpu at ${found} does not work here: ${message}`, {
      cause,
    })
  }
}

/** Beside this package, among the global packages, and, only where asked for, in the working folder: it runs as code. */
function packagePath(named: boolean): string | undefined {
  const prefix = dirname(process.execPath)
  const globals = process.platform === 'win32' ? join(prefix, 'node_modules') : resolve(prefix, '../lib/node_modules')
  const here = named ? [pathToFileURL(join(process.cwd(), 'package.json')).href] : []
  for (const from of [...here, import.meta.url, pathToFileURL(join(dirname(globals), 'package.json')).href]) {
    try {
      return createRequire(from).resolve('webgpu')
    } catch {} // not there: the next place
  }
  return undefined
}
