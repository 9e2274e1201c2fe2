import { amount, list, object, oneOf, optional, positive, type Read, text } from '../check.ts'
import { deviceInfo, headFields, spreadOf } from './head.ts'

export type KernelsReport = ReturnType<typeof kernelsReport>
export type Roof = KernelsReport['roofs'][number]

const names = { operation: text, name: text, dtype: text, variant: text, device: text }

const timed = object({
  ...names,
  flops: amount,
  bytes: positive,
  samples: amount,
  ms: spreadOf(positive),
  gpuMs: optional(spreadOf(positive)),
  gflopsPerSecond: amount,
  gbPerSecond: amount,
  bound: oneOf('compute', 'memory'),
  roof: text,
  ofRoof: amount,
})

const wrong = object({ ...names, verdict: object({ wrong: text }) })

export type TimedKernel = ReturnType<typeof timed> & { readonly wrong?: undefined }
export type WrongKernel = Omit<ReturnType<typeof wrong>, 'verdict'> & { readonly wrong: string }

/** A wrong one has a reason and no figures. */
const kernel: Read<TimedKernel | WrongKernel> = (value, path) => {
  const { verdict } = object({ verdict: (given) => given })(value, path)
  if (verdict === 'ok') return timed(value, path)
  if (typeof verdict !== 'object') return oneOf('ok')(verdict, `${path}.verdict`) && timed(value, path)
  const { verdict: why, ...rest } = wrong(value, path)
  return { ...rest, wrong: why.wrong }
}

export const kernelsReport = object({
  ...headFields,
  device: deviceInfo,
  devices: optional(list(deviceInfo)),
  roofs: list(object({ name: text, device: optional(text), unit: text, rate: positive, how: text })),
  kernels: list(kernel),
})
