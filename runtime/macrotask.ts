/** Lets timers, messages and input events have their turn. Quicker than setTimeout, which browsers clamp to 4 ms. */
export function macrotask(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: (task: () => void) => void } // Node, Deno, Bun
  if (setImmediate) return new Promise((resolve) => setImmediate(resolve))
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(null)
  })
}
