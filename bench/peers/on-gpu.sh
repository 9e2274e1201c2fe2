#!/usr/bin/env bash
# bash bench/peers/on-gpu.sh FOLDER [STEP...]: all figures of a real GPU, as JSON and text in FOLDER, in about ten minutes.
# In the root of a checkout, on a machine with a GPU and its driver, bash and Python, and .gpubox/bench.tar.xz of pack-gpu.mjs.
# Node should be 24: in Node 20 Dawn and onnxruntime-web together end with a segmentation fault (seen on lavapipe).
# Node and its `webgpu` package are the machine's own, or those that .gpubox/run.sh sets up, if it is there and leaves them in an
# env file. PyTorch is measured where it is.
set -uo pipefail
out=$1; shift; mkdir -p "$out"
if [ -f .gpubox/run.sh ]; then bash .gpubox/run.sh && . "${GPUBOX_RT:-/tmp/gpubox-rt}/env" || exit 2; fi
bench=$PWD/.gpubox/bench; model=${BARECLIP_FULL:-/tmp/bareclip-full}
[ -d "$bench" ] || { mkdir -p "$bench" && python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' .gpubox/bench.tar.xz "$bench"; } || exit 2
cli() { node "$bench/dist/apps/cli/main.js" "$@"; }

rows=${BARECLIP_ROWS:-16 197 6304}
shapes=$(for r in $rows; do printf '%s,' "${r}x768x2304" "${r}x768x768" "${r}x768x6144" "${r}x3072x768"; done)
cases=${BARECLIP_CASES:-1x16,1x128,1x512,8x128,1x2048,1x8192,image-1,image-8,image-64,image-256}
profiled=${BARECLIP_PROFILED:-1x16,1x512,image-1,image-8}

info() { cli info --explain --device webgpu; }
torch() { python3 bench/peers/gemm.py ${rows:+--rows "${rows// /,}"} >"$out/gemm.json" && python3 -m json.tool "$out/gemm.json"; }
linear() { cli bench kernels --device webgpu --op linear --dtype f32,f16 --shape "${shapes%,}" --json "$out/linear.json"; }
others() { cli bench kernels --device webgpu --op attention,layer-norm,rotary,patch-embed --json "$out/others.json"; }
synth() { [ -f "$model/model.safetensors" ] || cli synth "$model" --size full; }
peers() { node "$bench/main.mjs" peers "$model" --peers webgpu-f32,webgpu-f16 --places dawn --cases "$cases" --rounds 3 --limit 90 --json "$out/peers.json"; }
models() { for d in f32 f16; do cli bench model --model "$model" --device webgpu --dtype $d --cases "$profiled" --json "$out/model-$d.json" || return; done; }

for step in ${@:-info torch synth peers linear models others}; do
  export -f cli $step; export out bench model rows shapes cases profiled
  start=$SECONDS
  timeout "${BARECLIP_STEP_S:-240}" bash -c $step >"$out/$step.txt" 2>&1 && said=done || said="failed ($?)"
  echo "$step: $said after $((SECONDS - start)) s"; tail -n 3 "$out/$step.txt"
done
