import { deepEqual, ok, rejects } from 'node:assert/strict'
import { runCase } from '../../kernels/case.ts'
import { allCases } from '../../kernels/cases.ts'
import { castCases } from '../../kernels/cast/cases.ts'
import { wasmKernels } from '../../kernels/wasm.ts'
import type { Device } from '../../runtime/device.ts'
import { createWasmDevice } from '../../runtime/wasm/device.ts'
import type { WasmKernel, WasmStep } from '../../runtime/wasm/kernel.ts'
import { compileModule } from '../../runtime/wasm/module.ts'
import { threadsPossible } from '../../runtime/wasm/threads.ts'
import { bits } from './check.ts'
import { guardedDevice } from './guards.ts'

/** A device whose weights and scratch all lie above 2 GiB. Pages that nobody touches cost nothing. */
async function highDevice(threads: number): Promise<Device> {
  const module = await compileModule(threads > 1)
  const device = await createWasmDevice(wasmKernels, { module, threads, reason: 'high', variants: {} })
  device.allocate({ label: 'ballast', role: 'vector', shape: [2 ** 29 - 2 ** 19], dtype: 'f32' })
  device.allocate({ label: 'ballast', role: 'vector', shape: [2 ** 19], dtype: 'f32' })
  ok(device.memory().weights === 2 ** 31)
  return device
}

const possible = threadsPossible()

describe('where wasm kernels write', () => {
  const devices: { name: string; device: Device }[] = []
  before(async () => {
    devices.push({ name: 'one thread', device: await guardedDevice(wasmKernels, 1) })
    devices.push({ name: 'above 2 GiB', device: await highDevice(1) })
    if (!possible.possible) return
    devices.push({ name: 'three threads', device: await guardedDevice(wasmKernels, 3) })
    devices.push({ name: 'three threads above 2 GiB', device: await highDevice(3) })
  })
  after(() => {
    for (const { device } of devices) device.dispose()
  })

  const operations = [...new Set(allCases().map(({ operation }) => operation))]
  for (const operation of operations) {
    it(`${operation}: nothing outside, and the same bits at any address`, async () => {
      for (const item of allCases().filter((item) => item.operation === operation)) {
        const data = item.data()
        let first: Uint8Array[] | undefined
        for (const { name, device } of devices) {
          const found = await runCase(device, item, data).catch((error) => {
            throw new Error(`${item.name}, ${name}: ${error.message}`, { cause: error })
          })
          first ??= found.map(bits)
          deepEqual(found.map(bits), first, `${item.name}, ${name}`)
        }
      }
    })
  }

  it('the guards notice one byte too many, before, after and in an input', async () => {
    const cast = wasmKernels.cast as WasmKernel<unknown>
    const item = castCases().find(({ name }) => name.includes('f32') && name.includes('f16'))!
    const spoiled: [string, (step: WasmStep) => number[]][] = [
      ['as it is', ({ parameters }) => [...parameters]],
      ['one element more', ({ parameters: [x, from, y, to, length] }) => [x!, from!, y!, to!, length! + 1]],
      ['one byte before', ({ parameters: [x, from, y, to, length] }) => [x!, from!, y! - 1, to!, length!]],
      ['to its input', ({ parameters: [x, from, , to, length] }) => [x!, from!, x!, to!, length!]],
      ['to address 0', ({ parameters: [x, from, , to, length] }) => [x!, from!, 0, to!, length!]],
    ]
    for (const [name, spoil] of spoiled) {
      const wrong: WasmKernel<unknown> = (parameters, access) =>
        cast(parameters, access).map((step) => ({ ...step, parameters: spoil(step) }))
      const device = await guardedDevice({ ...wasmKernels, cast: wrong as WasmKernel<never> }, 1)
      const run = runCase(device, item, item.data())
      if (name === 'as it is') ok((await run).length > 0)
      else await rejects(run, /was changed|was written/, name)
      device.dispose()
    }
  })
})
