import type { Dtype } from '../../runtime/dtype.ts'
import { invariant } from '../../runtime/errors.ts'
import type { PipelineSpec, Shader, WebgpuAccess } from '../../runtime/webgpu/kernel.ts'
import { shader as weightBf16 } from './weight-bf16.wgsl.generated.ts'
import { shader as weightF16 } from './weight-f16.wgsl.generated.ts'
import { shader as weightF32 } from './weight-f32.wgsl.generated.ts'
import { shader as weightI8 } from './weight-i8.wgsl.generated.ts'
import { shader as weightI16 } from './weight-i16.wgsl.generated.ts'
import { shader as weightNativeF16 } from './weight-native-f16.wgsl.generated.ts'

const weightFiles: Partial<Readonly<Record<Dtype, Shader>>> = {
  f32: weightF32,
  f16: weightF16,
  bf16: weightBf16,
  i8: weightI8,
  i16: weightI16,
}

/** `weight` and loadWeight, and what they enable: f16 is read as such where the device can, else unpacked. */
export function weightFile(
  dtype: Dtype,
  extensions: WebgpuAccess['extensions'],
): { readonly file: Shader } & Required<Pick<PipelineSpec, 'enable'>> {
  if (dtype === 'f16' && extensions.has('f16')) return { file: weightNativeF16, enable: ['f16'] }
  const file = weightFiles[dtype]
  invariant(file, `no matrix of ${dtype}`)
  return { file, enable: [] }
}

/** What two parts of a pipeline enable together. */
export function together(...lists: readonly (readonly string[] | undefined)[]): readonly string[] {
  return [...new Set(lists.flatMap((list) => list ?? []))]
}
