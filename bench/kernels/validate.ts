import { type Case, errorOf, type LoadedCase, type Tolerance, unitRoundoff } from '../../kernels/case.ts'
import { referenceKernels } from '../../kernels/reference.ts'
import type { Device } from '../../runtime/device.ts'
import type { DtypeArray } from '../../runtime/dtype.ts'
import { messageOf } from '../../runtime/errors.ts'
import { createReferenceDevice } from '../../runtime/reference/device.ts'
import { type Expected, expectedOf } from './reference-values.ts'
import type { BenchShape } from './shapes/shape.ts'
import type { Variant } from './targets/target.ts'

/** By variant: what is wrong with it, for a person to read. */
export type Wrong = ReadonlyMap<Variant, string>

/** Runs the awkward cases of an operation on each of its variants. variantsOf: by the dtype of a case */
export async function validateCases(
  cases: readonly Case[],
  variantsOf: (dtype: string) => readonly Variant[],
  signal?: AbortSignal,
): Promise<Wrong> {
  const wrong = new Map<Variant, string>()
  const reference = createReferenceDevice(referenceKernels)
  try {
    for (const item of cases) {
      const data = item.data()
      const variants = variantsOf(dtypeOf(data)).filter((variant) => !wrong.has(variant))
      if (variants.length === 0) continue
      let want: Expected | undefined
      await onEach(
        variants,
        item,
        data,
        wrong,
        async (got, width) => {
          want ??= await expectedFrom(reference, item, data, width)
          return differenceOf(got, want, item.tolerance, `case ${item.name}`)
        },
        signal,
      )
      signal?.throwIfAborted()
    }
  } finally {
    reference.dispose()
  }
  return wrong
}

/** Runs a shape on each of the variants and compares what is known of its result. */
export async function validateShape(
  shape: BenchShape,
  data: unknown,
  variants: readonly Variant[],
  signal?: AbortSignal,
): Promise<Wrong> {
  const wrong = new Map<Variant, string>()
  let want: Expected | undefined
  await onEach(
    variants,
    shape,
    data,
    wrong,
    async (got) => {
      want ??= await expectedOf(shape, signal)
      return differenceOf(got, want, shape.tolerance, shape.name)
    },
    signal,
  )
  return wrong
}

/** Loads once per device, then runs every variant. A variant that fails is wrong, too. */
async function onEach(
  variants: readonly Variant[],
  item: Pick<Case, 'load'>,
  data: unknown,
  wrong: Map<Variant, string>,
  compare: (got: DtypeArray, width: number) => Promise<string | undefined>,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const device of new Set(variants.map((variant) => variant.device))) {
    const loaded = await item.load(device, data)
    try {
      for (const variant of variants.filter((one) => one.device === device)) {
        variant.choose()
        let message: string | undefined
        try {
          const { values, width } = await outputOf(device, loaded)
          message = await compare(values, width)
        } catch (error) {
          signal?.throwIfAborted()
          message = `it failed: ${messageOf(error)}`
        }
        if (message !== undefined) wrong.set(variant, message)
      }
    } finally {
      for (const weight of loaded.weights) device.free(weight)
    }
  }
}

async function outputOf(device: Device, loaded: LoadedCase): Promise<{ values: DtypeArray; width: number }> {
  const scope = device.scope()
  try {
    const [output] = loaded.record(scope)
    await device.run(scope)
    return { values: await device.read(output!), width: output!.shape.at(-1) ?? 1 }
  } finally {
    scope.end()
  }
}

async function expectedFrom(reference: Device, item: Case, data: unknown, width: number): Promise<Expected> {
  const loaded = await item.load(reference, data)
  try {
    const { values } = await outputOf(reference, loaded)
    return { values, width, known: values.length }
  } finally {
    for (const weight of loaded.weights) reference.free(weight)
  }
}

function differenceOf(
  got: DtypeArray,
  { values, width, known }: Expected,
  { error: allowed, per }: Tolerance,
  where: string,
): string | undefined {
  let want = values
  let mine: ArrayLike<number> = got
  if (known < values.length) {
    // what is not known counts as right
    want = Float32Array.from(values, (value) => (Number.isNaN(value) ? 0 : value))
    mine = Float32Array.from(got, (value, i) => (Number.isNaN(values[i]!) ? 0 : value))
  }
  const { error, at } = errorOf(mine, want, width, per)
  // the reference rounds once
  const most = allowed === 0 ? 0 : allowed + unitRoundoff
  if (error <= most) return undefined
  const place = `row ${Math.floor(at / Math.max(1, width))}, column ${at % Math.max(1, width)}`
  const found = `${mine[at]} where the reference has ${want[at]}`
  return `${where}: largest difference ${error.toPrecision(3)} of the ${per}'s largest value, allowed ${most.toPrecision(3)}; ${place}: ${found}`
}

/** As `--dtype` has it: of a case's weight or table, if it has one. */
function dtypeOf(data: unknown): string {
  const { weight, word } = data as { weight?: { dtype?: string }; word?: { dtype?: string } }
  const dtype = weight?.dtype ?? word?.dtype
  if (dtype === 'i8') return 'q8'
  if (dtype === 'i16') return 'q12'
  return dtype === 'f16' ? 'f16' : 'f32'
}
