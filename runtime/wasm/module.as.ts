// What the module exports: every kernel.
export { setScratch } from '../../kernels/common.as'
export { linear, linearGate } from '../../kernels/linear/linear.as'
