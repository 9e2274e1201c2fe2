import { deepEqual, equal, ok } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { Worker as NodeWorker } from 'node:worker_threads'
import { BareclipError } from '../../runtime/errors.ts'
import type { WasmStep } from '../../runtime/wasm/kernel.ts'
import { encodeProgram } from '../../runtime/wasm/program.ts'
import { threadSource } from '../../runtime/wasm/thread-source.ts'
import { controlWords, createThreadPool, type ThreadPool, type ThreadRunOptions } from '../../runtime/wasm/threads.ts'

// AssemblyScript: little kernels that show what the threads did.
const kernels = `
let scratch: usize = 0
export function setScratch(address: usize): void { scratch = address }

// cells[u] += 1
export function count(parameters: usize, from: i32, to: i32): void {
  const cells: usize = load<u32>(parameters)
  for (let u = from; u < to; u++) {
    const cell = cells + (<usize>u << 2)
    store<i32>(cell, load<i32>(cell) + 1)
  }
}

// target[u] = 3 source[units - 1 - u] + u: nearly always what another thread wrote
export function mirror(parameters: usize, from: i32, to: i32): void {
  const source: usize = load<u32>(parameters)
  const target: usize = load<u32>(parameters, 4)
  const units = load<i32>(parameters, 8)
  for (let u = from; u < to; u++) {
    const value = load<i32>(source + (<usize>(units - 1 - u) << 2))
    store<i32>(target + (<usize>u << 2), 3 * value + u)
  }
}

// cells[u] = this thread's scratch address; takes a while, so that every thread gets some
export function own(parameters: usize, from: i32, to: i32): void {
  const cells: usize = load<u32>(parameters)
  for (let u = from; u < to; u++) store<u32>(cells + (<usize>u << 2), spend(200000) ? scratch : 0)
}

// a millisecond or so per unit, or as many as the second parameter says
export function slow(parameters: usize, from: i32, to: i32): void {
  const cells: usize = load<u32>(parameters)
  const times = load<i32>(parameters, 4)
  for (let u = from; u < to; u++) if (spend(300000 * times)) store<i32>(cells, 1)
}

function spend(rounds: i32): bool {
  let x: f64 = 1.5
  for (let i = 0; i < rounds; i++) x = x * 0.999 + 1.0 / x
  return x > 0
}

// unit 5 is a broken kernel
export function trap(parameters: usize, from: i32, to: i32): void {
  if (from <= 5 && to > 5) unreachable()
}
`
export const entries = ['count', 'mirror', 'own', 'slow', 'trap']

let compiled: Uint8Array<ArrayBuffer> | undefined

/** The kernels above as a wasm module. */
export function threadModuleBytes(): Uint8Array<ArrayBuffer> {
  compiled ??= compile()
  return compiled
}

function compile(): Uint8Array<ArrayBuffer> {
  const folder = mkdtempSync(join(tmpdir(), 'bareclip-threads-'))
  try {
    // In a process of its own: tsx would take ten seconds to transform the compiler.
    const asc = fileURLToPath(new URL('../../node_modules/assemblyscript/bin/asc.js', import.meta.url))
    const flags = '-O --noAssert --runtime stub --importMemory --initialMemory 1 --maximumMemory 65536 --sharedMemory'
    writeFileSync(join(folder, 'in.ts'), kernels)
    execFileSync(
      process.execPath,
      [...runtimeArguments, asc, 'in.ts', '-o', 'out.wasm', ...flags.split(' '), '--enable', 'threads'],
      { cwd: folder, env: { ...process.env, NODE_OPTIONS: '' } },
    )
    return new Uint8Array(readFileSync(join(folder, 'out.wasm')))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** What this runtime wants before the name of a script, TypeScript aside. */
export const runtimeArguments: readonly string[] =
  'deno' in process.versions ? ['run', '--allow-all', '--no-lock', '--node-modules-dir=manual'] : []

/** Shared memory with room for cells, a program and its control block, and a pool of threads on it. */
export interface Machine {
  readonly pool: ThreadPool
  readonly memory: WebAssembly.Memory
  /** Scratch address of each thread. */
  readonly scratch: readonly number[]
  /** 1024 words at `cells`, twice: what the kernels write. */
  readonly cells: { readonly first: number; readonly second: number }
  words(address: number, length: number): Int32Array
  /** `chunk` units at once, of steps that start at byte `base`. */
  run(steps: readonly WasmStep[], options?: ThreadRunOptions & { chunk?: number; base?: number }): Promise<void>
}

export async function createMachine(
  threads: number,
  workers?: () => Worker,
  bytes: Uint8Array<ArrayBuffer> = threadModuleBytes(),
): Promise<Machine> {
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 65536, shared: true })
  const scratch = Array.from({ length: threads }, (_, i) => 1024 + 64 * i)
  const module = await WebAssembly.compile(bytes)
  const pool = await createThreadPool({ module, memory, threads, scratch, entries, workers })
  return {
    pool,
    memory,
    scratch,
    cells: { first: 8192, second: 8192 + 4096 },
    words: (address, length) => new Int32Array(memory.buffer, address, length),
    run(steps, { chunk = 1, base = 65536, ...options } = {}) {
      const words = encodeProgram(steps, entries, () => chunk, base)
      new Int32Array(memory.buffer, base, words.length).set(words)
      const control = base + Math.ceil(words.byteLength / 64) * 64
      // As a run before may have left it.
      new Int32Array(memory.buffer, control, controlWords + steps.length).fill(7)
      return pool.run(base, control, options)
    },
  }
}

export const withMachine = async (
  threads: number,
  use: (machine: Machine) => Promise<void>,
  workers?: () => Worker,
) => {
  const machine = await createMachine(threads, workers)
  try {
    await use(machine)
  } finally {
    machine.pool.dispose()
  }
}

export const count = ({ cells }: Machine, units: number): WasmStep => ({
  entry: 'count',
  units,
  parameters: [cells.first],
})
/** `times` milliseconds or so per unit */
export const slow = ({ cells }: Machine, units: number, times = 1): WasmStep => ({
  entry: 'slow',
  units,
  parameters: [cells.second, times],
})

/** Nothing is lost, done twice or left behind: the pool still counts as it should. */
export async function works(machine: Machine) {
  const { cells } = machine
  machine.words(cells.first, 1024).fill(0)
  await machine.run([count(machine, 1000), count(machine, 500)])
  const got = [...machine.words(cells.first, 1024)]
  deepEqual(
    got,
    Array.from({ length: 1024 }, (_, u) => (u < 500 ? 2 : u < 1000 ? 1 : 0)),
  )
}

export const failsWith = (code: string, message: RegExp) => (error: unknown) => {
  ok(error instanceof BareclipError, String(error))
  equal(error.code, code)
  ok(message.test(error.message), error.message)
  return true
}

/** A user's factory, and the workers it made: node:worker_threads are taken as well as web workers. */
export function factory(source = threadSource) {
  const made: NodeWorker[] = []
  const workers = () => {
    const worker = new NodeWorker(source, { eval: true, execArgv: [] })
    made.push(worker)
    return worker as unknown as Worker
  }
  return { made, workers }
}
