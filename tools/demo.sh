#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# demo.sh BUILD: the main job once, on what this machine has.  Says what was real and what was not.
set -euo pipefail
build=$(cd "${1:?usage: demo.sh BUILD}" && pwd)
root=$(cd "$(dirname "$0")/.." && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
trace="$out/demo.ttt"

say() { printf '\n== %s\n' "$*"; }

has_gpu() { [ -e "$build/libttitrace.so" ] && nvidia-smi -L >/dev/null 2>&1; }

if has_gpu && python3 -c 'import torch, diffusers' 2>/dev/null; then
	say "This machine has a GPU: Stable Diffusion 1.5 (random weights), recorded here and now"
	"$build/ttitrace" record -o "$trace" -- python3 "$root/examples/diffusion/generate.py"
elif has_gpu && command -v nvcc >/dev/null; then
	say "This machine has a GPU but no diffusers: examples/cuda/marked.cu, recorded here and now"
	nvcc -arch=native -o "$out/marked" "$root/examples/cuda/marked.cu" -lcuda
	"$build/ttitrace" record -o "$trace" -- "$out/marked"
elif [ -e "$build/libttitrace.so" ]; then
	say "No GPU here: a program that launches kernels, recorded against a stand-in for the driver"
	LD_LIBRARY_PATH="$build/tests/fake" TTITRACE_CUPTI="$build/tests/fake/libcupti.so.13" \
		"$build/ttitrace" record -o "$trace" -- "$build/tests/programs/diffusion_loop"
else
	say "No GPU and no CUDA headers here: nothing can be recorded"
fi
if [ -e "$trace" ]; then
	"$build/ttitrace" report --top 8 "$trace"
	has_gpu && exit 0
fi
say "The report of a real run: Stable Diffusion 1.5, recorded on an NVIDIA H200, from tests/golden"
"$build/ttitrace" report --top 15 "$root/tests/golden/sd15.ttt"
