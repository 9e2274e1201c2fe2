/**
 * Words as paths of code points. An edge is found by hashing (node, code point) into an open-addressed table; node 0 is
 * the root and the end of no edge, so 0 also marks an empty slot and a missing child.
 */
export interface Trie {
  child(node: number, point: number): number
  /** The value of the word that ends at a node, -1 if none does. */
  value(node: number): number
  /** The node at the end of a path, made if it was not there. */
  insert(word: string, value?: number): number
}

export const ROOT = 0

export function createTrie(): Trie {
  let nodes = 1
  let parents = new Int32Array(1024)
  let points = new Int32Array(1024)
  let values = new Int32Array(1024).fill(-1)
  let slots = new Int32Array(2048) // power of two, at most half full
  let mask = slots.length - 1

  function slotOf(node: number, point: number): number {
    const hash = Math.imul(Math.imul(node, 0x9e3779b1) ^ point, 0x85ebca6b)
    let slot = (hash ^ (hash >>> 15)) & mask
    for (let end = slots[slot]!; end !== 0 && (parents[end] !== node || points[end] !== point); end = slots[slot]!) {
      slot = (slot + 1) & mask
    }
    return slot
  }

  function grow(): void {
    const grown = (old: Int32Array) => {
      const array = new Int32Array(2 * old.length)
      array.set(old)
      return array
    }
    parents = grown(parents)
    points = grown(points)
    values = grown(values).fill(-1, nodes)
    slots = new Int32Array(2 * slots.length)
    mask = slots.length - 1
    for (let node = 1; node < nodes; node++) slots[slotOf(parents[node]!, points[node]!)] = node
  }

  function childOrNew(node: number, point: number): number {
    const slot = slotOf(node, point)
    const known = slots[slot]!
    if (known !== 0) return known
    const end = nodes++
    parents[end] = node
    points[end] = point
    slots[slot] = end
    if (nodes === parents.length) grow()
    return end
  }

  return {
    child: (node, point) => slots[slotOf(node, point)]!,
    value: (node) => values[node]!,
    insert(word, value) {
      let node = ROOT
      for (const character of word) node = childOrNew(node, character.codePointAt(0)!)
      if (value !== undefined) values[node] = value
      return node
    },
  }
}
