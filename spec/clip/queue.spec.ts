import { deepEqual, equal, rejects } from 'node:assert/strict'
import { createQueue } from '../../clip/queue.ts'

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

describe('queue', () => {
  it('runs one at a time, in order, whatever each takes', async () => {
    const queue = createQueue()
    const log: string[] = []
    const task = (name: string, ms: number) => async () => {
      log.push(`${name} starts`)
      await pause(ms)
      log.push(`${name} ends`)
      return name
    }
    const names = await Promise.all([queue.run(task('a', 20)), queue.run(task('b', 1)), queue.run(task('c', 5))])
    deepEqual(names, ['a', 'b', 'c'])
    deepEqual(log, ['a starts', 'a ends', 'b starts', 'b ends', 'c starts', 'c ends'])
  })

  it('goes on after a failure', async () => {
    const queue = createQueue()
    await rejects(
      queue.run(async () => {
        throw new Error('no')
      }),
      /no/,
    )
    equal(await queue.run(async () => 3), 3)
  })

  it('a task that is aborted while it waits never starts; the next one does not overtake the running one', async () => {
    const queue = createQueue()
    const controller = new AbortController()
    let started = false
    let running = true
    const first = queue.run(() =>
      pause(30).then(() => {
        running = false
      }),
    )
    const second = queue.run(async () => {
      started = true
    }, controller.signal)
    const third = queue.run(async () => running)
    controller.abort(new Error('never mind'))
    await rejects(second, /never mind/)
    equal(running, true)
    equal(await third, false)
    await first
    equal(started, false)
  })
})
