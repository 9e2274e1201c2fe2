import { BareclipError, invariant } from '../errors.ts'
import { macrotask } from '../macrotask.ts'

/** What ends calls early, and what WebGPU reports late. */
export interface Guard {
  /** Throws DISPOSED or DEVICE_LOST. */
  live(): void
  /** `work`, unless the device ends or the signal aborts first: then its error, and `stopped` answers true from then on. */
  race<T>(work: (stopped: () => boolean) => Promise<T>, signal?: AbortSignal): Promise<T>
  /** All calls that are on, and all later ones, throw this. The first end counts. */
  end(error: BareclipError): void
}

/** wgpu tells of a loss after the calls that it made fail. */
const momentMs = 100

export function createGuard(device: GPUDevice): Guard {
  const running = new Set<(reason: unknown) => void>()
  let ended: BareclipError | undefined

  const end = (error: BareclipError) => {
    if (ended) return
    ended = error
    for (const stop of [...running]) stop(error)
  }
  void device.lost.then(({ reason, message }) => {
    end(
      new BareclipError(
        'DEVICE_LOST',
        `the graphics device was lost (${reason || 'unknown reason'}${message ? `: ${message}` : ''}): load the model again`,
      ),
    )
  })

  /** Resolves once the device is known to be lost, or is not within a moment. */
  const told = async () => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const moment = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, momentMs)
    })
    await Promise.race([device.lost, moment])
    clearTimeout(timer)
    await macrotask() // for the listener above
  }

  return {
    live() {
      if (ended) throw ended
    },
    end,
    async race(work, signal) {
      if (ended) throw ended
      signal?.throwIfAborted()
      let stop: (reason: unknown) => void = () => {}
      let stopped = false
      const interrupted = new Promise<never>((_, reject) => {
        stop = (reason) => {
          stopped = true
          reject(reason)
        }
      })
      const abort = () => stop(signal?.reason)
      running.add(stop)
      signal?.addEventListener('abort', abort)
      try {
        return await Promise.race([work(() => stopped), interrupted])
      } catch (error) {
        if (!stopped) await told() // what is lost may fail before it is told
        throw ended ?? error // what fails because the device is gone fails for that reason
      } finally {
        stopped = true
        running.delete(stop)
        signal?.removeEventListener('abort', abort)
      }
    },
  }
}

/** Errors of what `body` asks of the device, as they are reported later. */
export type Verdict = Promise<{ readonly memory: GPUError | null; readonly mistake: GPUError | null }>

/** Runs `body` between error scopes. The verdict never rejects. */
export function scoped<T>(device: GPUDevice, body: () => T): { result: T; verdict: Verdict } {
  device.pushErrorScope('out-of-memory')
  device.pushErrorScope('validation')
  let mistake: Promise<GPUError | null> | undefined
  let memory: Promise<GPUError | null> | undefined
  try {
    return { result: body(), verdict: settled() }
  } finally {
    settled()
  }

  function settled(): Verdict {
    mistake ??= device.popErrorScope()
    memory ??= device.popErrorScope()
    return Promise.all([memory, mistake]).then(
      ([memory, mistake]) => ({ memory, mistake }),
      () => ({ memory: null, mistake: null }), // lost: the guard tells
    )
  }
}

/** Throws OUT_OF_MEMORY, or that we made a mistake. */
export async function settle(verdict: Verdict, label: string): Promise<void> {
  const { memory, mistake } = await verdict
  if (memory) {
    const cause = new Error(memory.message)
    throw new BareclipError('OUT_OF_MEMORY', `no memory for ${label}: use a smaller dtype, batch or text`, { cause })
  }
  invariant(!mistake, `WebGPU refuses ${label}: ${mistake?.message}`)
}
