export interface Float32Tensor {
  readonly name: string
  readonly shape: readonly number[]
}

/**
 * The first bytes of a safetensors file with these float32 tensors, one after the other; as much longer as `bytes` asks for
 * (spaces are allowed at the end), so that a header can be written before the tensors are known for sure.
 */
export function safetensorsHeader(tensors: readonly Float32Tensor[], bytes = 0): Uint8Array {
  let end = 0
  const members = tensors.map(({ name, shape }) => {
    const begin = end
    end += 4 * shape.reduce((product, size) => product * size, 1)
    return `${JSON.stringify(name)}:{"dtype":"F32","shape":[${shape.join()}],"data_offsets":[${begin},${end}]}`
  })
  const json = new TextEncoder().encode(`{${members.join()}}`)
  const header = new Uint8Array(Math.max(bytes, 8 + Math.ceil(json.length / 8) * 8)).fill(0x20)
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - 8), true)
  header.set(json, 8)
  return header
}

/** Room for any number of rows. */
const embeddingsHeaderBytes = 128

/** Of one tensor `embeddings` (rows, dimensions). Always 128 bytes. */
export function embeddingsHeader(rows: number, dimensions: number): Uint8Array {
  return safetensorsHeader([{ name: 'embeddings', shape: [rows, dimensions] }], embeddingsHeaderBytes)
}
