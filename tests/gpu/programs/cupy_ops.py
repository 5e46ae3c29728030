#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CuPy: library calls (matrix product, FFT, sort), generated kernels, and a kernel from source."""

import argparse

SCALE = """
extern "C" __global__ void scale_in_place(float *x, float factor, int n)
{
	int i = blockIdx.x * blockDim.x + threadIdx.x;
	if (i < n)
		x[i] *= factor;
}
"""


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--tiny", action="store_true")
    return parser.parse_args()


def array_module(device):
    """CuPy, or NumPy with the same functions where there is no GPU."""
    if device == "cpu":
        import numpy

        return numpy
    import cupy

    return cupy


def scaler(xp):
    """A function that scales an array in place, by a kernel compiled from source on a GPU."""
    if xp.__name__ == "numpy":
        return lambda x, factor: xp.multiply(x, factor, out=x)
    kernel = xp.RawKernel(SCALE, "scale_in_place")

    def scale(x, factor):
        kernel(((x.size + 255) // 256,), (256,), (x, xp.float32(factor), xp.int32(x.size)))

    return scale


def main():
    args = parse_arguments()
    xp = array_module(args.device)
    n, steps = (32, 3) if args.tiny else (1024, 100)
    scale = scaler(xp)
    x = xp.sin(xp.arange(n * n, dtype=xp.float32)).reshape(n, n)
    for _ in range(steps):
        y = xp.maximum(x @ x.T / n, 0) + xp.exp(-xp.abs(x))
        y = y / xp.sqrt((y * y).mean(axis=1, keepdims=True) + 1e-5)
        spectrum = xp.abs(xp.fft.fft(y, axis=1)).astype(xp.float32)
        x = xp.sort(spectrum, axis=1) / n
        scale(x, 0.5)
    print(f"mean {float(x.mean()):.3g}")


if __name__ == "__main__":
    main()
