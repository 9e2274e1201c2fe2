import { BareclipError } from '../runtime/errors.ts'
import type { ByteSource, Platform } from './platform.ts'
import { webThread } from './web-thread.ts'

export const platformName: Platform['platformName'] = 'browser'

export const pathFromUrl: Platform['pathFromUrl'] = (url) => url.href

export async function openFile(path: string): Promise<ByteSource> {
  throw new BareclipError(
    'MODEL_NOT_FOUND',
    `there are no files here to open ${path} from: pass a URL, a Blob or bytes`,
  )
}

export const decodeImage: Platform['decodeImage'] =
  typeof createImageBitmap === 'function' && typeof OffscreenCanvas === 'function' ? decodeWithBitmap : undefined

async function decodeWithBitmap(bytes: Uint8Array, mimeType: string) {
  const bitmap = await createImageBitmap(new Blob([new Uint8Array(bytes)], { type: mimeType }), {
    colorSpaceConversion: 'none',
    premultiplyAlpha: 'none',
  })
  try {
    const { width, height } = bitmap
    const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })
    if (!context) throw new BareclipError('UNSUPPORTED_IMAGE', 'this browser gives no 2d canvas to read pixels from')
    context.drawImage(bitmap, 0, 0)
    return { data: context.getImageData(0, 0, width, height).data, width, height }
  } finally {
    bitmap.close()
  }
}

export const cores: Platform['cores'] = () => Math.max(1, globalThis.navigator?.hardwareConcurrency ?? 1)

export const threadsMissing: Platform['threadsMissing'] = () =>
  typeof Worker === 'function' ? undefined : 'there are no workers here'

export const startThread: Platform['startThread'] = (source, worker) => {
  if (worker) return webThread(worker(), 'the worker that `workers` made ended or could not be loaded')
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }))
  const refused =
    'the browser refused a worker from a blob (does the Content-Security-Policy lack "worker-src blob:"?): pass `workers`'
  const release = () => URL.revokeObjectURL(url)
  try {
    const thread = webThread(new Worker(url, { name: 'bareclip' }), refused)
    const { terminate } = thread
    thread.onMessage(release)
    thread.onEnd(release)
    return {
      ...thread,
      terminate() {
        release()
        terminate()
      },
    }
  } catch (cause) {
    release()
    throw new Error(refused, { cause })
  }
}
