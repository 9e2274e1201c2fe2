import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import fc from 'fast-check'
import { type ArenaPlan, alignment, planArena } from '../../runtime/arena.ts'
import type { Command, Operation } from '../../runtime/device.ts'
import { rowsOf, type Storage, type Tensor } from '../../runtime/tensor.ts'

interface Touch {
  readonly reads: readonly Tensor[]
  readonly writes: readonly Tensor[]
}

const operation: Operation<Touch> = {
  name: 'touch',
  validate: () => {},
  reads: ({ reads }) => reads,
  writes: ({ writes }) => writes,
  flops: () => 0,
  bytes: () => 0,
}

const command = (reads: readonly Tensor[], writes: readonly Tensor[]) =>
  ({ operation, parameters: { reads, writes } }) as unknown as Command

function tensor(label: string, rows: number, lifetime: Storage['lifetime'] = 'scratch'): Tensor {
  return { label, dtype: 'f32', shape: [rows], storage: { lifetime, bytes: 4 * rows }, offset: 0 }
}

/** Commands 0 … n - 1; inputs are touched at -1, outputs at n. */
function lifetimes(commands: readonly Command[], inputs: readonly Tensor[], outputs: readonly Tensor[]) {
  const times = new Map<Storage, number[]>()
  const touch = ({ storage }: Tensor, at: number) => times.set(storage, [...(times.get(storage) ?? []), at])
  for (const input of inputs) touch(input, -1)
  commands.forEach(({ parameters }, at) => {
    const { reads, writes } = parameters as Touch
    for (const touched of [...reads, ...writes]) touch(touched, at)
  })
  for (const output of outputs) touch(output, commands.length)
  return [...times].map(([storage, at]) => ({ storage, first: Math.min(...at), last: Math.max(...at) }))
}

function assertSound(plan: ArenaPlan, alive: ReturnType<typeof lifetimes>): void {
  equal(plan.offsets.size, alive.length)
  for (const { storage } of alive) {
    const offset = plan.offsets.get(storage)!
    ok(offset >= 0 && offset % alignment === 0)
    ok(offset + storage.bytes <= plan.bytes)
  }
  for (const [i, a] of alive.entries()) {
    for (const b of alive.slice(i + 1)) {
      if (a.first > b.last || b.first > a.last) continue
      const [p, q] = [plan.offsets.get(a.storage)!, plan.offsets.get(b.storage)!]
      ok(p + a.storage.bytes <= q || q + b.storage.bytes <= p, `${p}+${a.storage.bytes} and ${q}+${b.storage.bytes}`)
    }
  }
}

/** A pass as a list of choices: which tensors a command reads and writes, in place or a view of its rows. */
const recording = fc
  .record({
    sizes: fc.array(fc.nat(3000), { minLength: 1, maxLength: 24 }),
    inputs: fc.nat(4),
    steps: fc.array(
      fc.record({
        reads: fc.array(fc.nat(), { maxLength: 3 }),
        writes: fc.array(fc.nat(), { minLength: 1, maxLength: 2 }),
        view: fc.boolean(),
        inPlace: fc.boolean(),
      }),
      { maxLength: 40 },
    ),
    outputs: fc.array(fc.nat(), { maxLength: 3 }),
  })
  .map(({ sizes, inputs: inputCount, steps, outputs: outputChoices }) => {
    const tensors = sizes.map((size, i) => tensor(`t${i}`, size))
    const inputs = tensors.slice(0, inputCount)
    const born = [...inputs]
    const commands = steps.map(({ reads, writes, view, inPlace }) => {
      const window = (whole: Tensor) => (view ? rowsOf(whole, whole.shape[0]! >> 1, whole.shape[0]!) : whole)
      const read = born.length === 0 ? [] : reads.map((choice) => window(born[choice % born.length]!))
      const written = inPlace && read[0] ? [read[0]] : writes.map((choice) => tensors[choice % tensors.length]!)
      for (const whole of tensors) {
        if (written.some(({ storage }) => storage === whole.storage) && !born.includes(whole)) born.push(whole)
      }
      return command(read, written.map(window))
    })
    const outputs = born.length === 0 ? [] : outputChoices.map((choice) => born[choice % born.length]!)
    return { commands, inputs, outputs }
  })

describe('arena planner', () => {
  it('never lets two tensors that are alive together share a byte', () => {
    fc.assert(
      fc.property(recording, ({ commands, inputs, outputs }) => {
        assertSound(planArena(commands, inputs, outputs), lifetimes(commands, inputs, outputs))
      }),
      { numRuns: 400 },
    )
  })

  it('takes no more than everything laid end to end, and no less than what is alive at any one command', () => {
    const padded = (bytes: number) => Math.max(1, Math.ceil(bytes / alignment)) * alignment
    fc.assert(
      fc.property(recording, ({ commands, inputs, outputs }) => {
        const alive = lifetimes(commands, inputs, outputs)
        const { bytes } = planArena(commands, inputs, outputs)
        ok(bytes <= alive.reduce((sum, { storage }) => sum + padded(storage.bytes), 0))
        for (let at = -1; at <= commands.length; at++) {
          const now = alive.filter(({ first, last }) => first <= at && at <= last)
          ok(bytes >= now.reduce((sum, { storage }) => sum + padded(storage.bytes), 0))
        }
      }),
      { numRuns: 200 },
    )
  })

  it('is deterministic', () => {
    fc.assert(
      fc.property(recording, ({ commands, inputs, outputs }) => {
        deepEqual([...planArena(commands, inputs, outputs).offsets], [...planArena(commands, inputs, outputs).offsets])
      }),
      { numRuns: 50 },
    )
  })

  it('a chain of a hundred equal steps takes the room of two', () => {
    const chain = Array.from({ length: 101 }, (_, i) => tensor(`x${i}`, 1024))
    const commands = chain.slice(1).map((next, i) => command([chain[i]!], [next]))
    equal(planArena(commands, [chain[0]!], [chain[100]!]).bytes, 2 * 4096)
  })

  it('a chain in place takes the room of one', () => {
    const x = tensor('x', 1024)
    const commands = Array.from({ length: 10 }, () => command([x], [x]))
    const plan = planArena(commands, [x], [x])
    equal(plan.bytes, 4096)
    equal(plan.offsets.size, 1)
  })

  it('views keep their storage alive and have one place', () => {
    const x = tensor('x', 256)
    const others = ['a', 'b', 'c'].map((label) => tensor(label, 256))
    const commands = [
      command([], [rowsOf(x, 0, 128)]),
      command([], [others[0]!]),
      command([others[0]!], [others[1]!]),
      command([], [rowsOf(x, 128, 256)]),
      command([rowsOf(x, 64, 192)], [others[2]!]),
    ]
    const plan = planArena(commands, [], [others[2]!])
    equal(plan.offsets.size, 4)
    assertSound(plan, lifetimes(commands, [], [others[2]!]))
  })

  it('neighbours that are free become one hole', () => {
    const [a, b, large] = [tensor('a', 64), tensor('b', 64), tensor('large', 128)] as const
    const keep = tensor('keep', 64)
    const commands = [
      command([], [a]),
      command([], [b]),
      command([], [keep]),
      command([a, b], []),
      command([], [large]),
    ]
    const plan = planArena(commands, [], [keep, large])
    equal(plan.bytes, 3 * 256)
    equal(plan.offsets.get(large.storage), 0)
  })

  it('the last hole grows instead of a new one behind it', () => {
    const [a, large] = [tensor('a', 64), tensor('large', 640)] as const
    const plan = planArena([command([], [a]), command([a], []), command([], [large])], [], [large])
    equal(plan.bytes, 2560)
  })

  it('what a command reads is not overwritten by what it writes', () => {
    const [x, y] = [tensor('x', 64), tensor('y', 64)]
    const plan = planArena([command([], [x]), command([x], [y])], [], [y])
    equal(plan.bytes, 512)
  })

  it('outputs outlive everything, inputs are there from the start', () => {
    const [input, early, late] = [tensor('input', 64), tensor('early', 64), tensor('late', 64)]
    const commands = [command([], [early]), command([], [late]), command([input], [late])]
    const plan = planArena(commands, [input], [early])
    equal(new Set(plan.offsets.values()).size, 3)
  })

  it('weights have no place, tensors of no elements have one', () => {
    const weight = tensor('weight', 64, 'weights')
    const empty = tensor('empty', 0)
    const plan = planArena([command([weight], [empty])], [], [weight, empty])
    ok(!plan.offsets.has(weight.storage))
    ok(plan.offsets.has(empty.storage))
  })

  it('an empty pass needs nothing', () => {
    equal(planArena([], [], []).bytes, 0)
  })

  it('reading what nothing has written is a bug', () => {
    const [x, y] = [tensor('x', 4), tensor('y', 4)]
    throws(() => planArena([command([x], [y])], [], []), /bareclip bug: x is read before anything is written to it/)
    throws(() => planArena([], [], [y]), /bareclip bug: y is read before anything is written to it/)
    throws(() => planArena([command([x], [x])], [], []), /x is read before/, 'in place as well')
  })
})
