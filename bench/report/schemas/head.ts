import { amount, flag, list, number, object, optional, pairs, type Read, setting, text } from '../check.ts'

export const spreadOf = (read: Read<number>) => object({ median: read, least: read, most: read })

const machine = object({
  runtime: text,
  platform: text,
  processor: text,
  cores: amount,
  versions: optional(pairs(text)),
  commit: optional(text),
})

/** What every report says about its run. */
export const headFields = {
  machine,
  date: optional(text),
  version: optional(text),
  settings: optional(pairs(setting)),
}

export type Head = ReturnType<typeof headOf>
const headOf = object(headFields)

export const deviceInfo = object({
  device: text,
  threads: amount,
  reason: text,
  variants: pairs(text),
  adapter: optional(
    object({
      description: text,
      software: optional(flag),
      features: list(text),
      limits: pairs(number),
    }),
  ),
})
