import type { Model } from '../models/tower.ts'
import type { Device, DeviceInfo } from '../runtime/device.ts'
import { BareclipError, messageOf } from '../runtime/errors.ts'

/** A model whose weights are on a device. */
export interface PlacedModel {
  readonly device: Device
  readonly model: Model
}

/** Builds the same model again on a new device of the same kind. The signal also aborts when the model is disposed. */
export type Rebuild = (signal: AbortSignal) => Promise<PlacedModel>

/** The model where it is now. */
export interface LiveModel extends PlacedModel {
  /**
   * Puts the model on a new device after `loss`. One at a time: passes queue. Throws DEVICE_LOST where that is not possible,
   * DISPOSED, and the signal's reason.
   */
  recover(loss: unknown, signal: AbortSignal | undefined): Promise<void>
  dispose(): void
}

/** rebuild: or why there is none, as `it is not rebuilt: …` goes on. */
export function createLiveModel(first: PlacedModel, rebuild: Rebuild | string): LiveModel {
  const disposal = new AbortController()
  let current = first

  return {
    get device() {
      return current.device
    },
    get model() {
      return current.model
    },
    async recover(loss, signal) {
      disposal.signal.throwIfAborted()
      if (typeof rebuild === 'string') {
        throw new BareclipError('DEVICE_LOST', `${messageOf(loss)}; it is not rebuilt: ${rebuild}`, { cause: loss })
      }
      const { info } = current.device
      current.device.dispose()
      const { signal: either, forget } = eitherSignal(disposal.signal, signal)
      try {
        const fresh = await rebuild(either)
        if (either.aborted) fresh.device.dispose()
        either.throwIfAborted()
        const other = difference(info, fresh.device.info)
        if (other) {
          fresh.device.dispose()
          throw new BareclipError('DEVICE_LOST', `results would have other bits now: ${other}; load the model again`)
        }
        current = fresh
      } catch (cause) {
        either.throwIfAborted()
        const why = `the graphics device was lost and could not be rebuilt: ${messageOf(cause)}`
        throw new BareclipError('DEVICE_LOST', why, { cause })
      } finally {
        forget()
      }
    },
    dispose() {
      disposal.abort(new BareclipError('DISPOSED', 'this model was disposed: load it again'))
      current.device.dispose()
    },
  }
}

/** What decides the bits of a result and is not as it was. Variants that only ran before may be missing now. */
function difference(was: DeviceInfo, is: DeviceInfo): string | undefined {
  const adapterOf = ({ adapter }: DeviceInfo) => `${adapter?.description}, features ${adapter?.features.join(', ')}`
  if (adapterOf(is) !== adapterOf(was)) return `the adapter was ${adapterOf(was)}, it is ${adapterOf(is)}`
  for (const [operation, names] of Object.entries(is.variants)) {
    const before = was.variants[operation] ?? ''
    const known = before.split(', ')
    if (names.split(', ').some((name) => !known.includes(name)))
      return `${operation} ran as ${before}, it runs as ${names}`
  }
  return undefined
}

function eitherSignal(one: AbortSignal, other: AbortSignal | undefined): { signal: AbortSignal; forget(): void } {
  const controller = new AbortController()
  const follow = [one, ...(other ? [other] : [])].map((signal) => {
    const abort = () => controller.abort(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
    return () => signal.removeEventListener('abort', abort)
  })
  return {
    signal: controller.signal,
    forget() {
      for (const end of follow) end()
    },
  }
}
