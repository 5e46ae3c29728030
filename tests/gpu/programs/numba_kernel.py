#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A kernel written in Numba, which reaches the driver in its own way.  Exit 77: no Numba."""

import argparse
import os
import sys


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--tiny", action="store_true")
    return parser.parse_args()


ARGS = parse_arguments()
if ARGS.device == "cpu":
    os.environ["NUMBA_ENABLE_CUDASIM"] = "1"  # read at import



def skip(error):
    print(f"skipped: {error}")
    sys.exit(77)


try:
    import numpy
    from numba import cuda
except ImportError as error:
    skip(error)


@cuda.jit
def axpy(x, y, factor):
    i = cuda.grid(1)
    if i < x.size:
        x[i] += factor * y[i]


def main():
    n, steps = (100, 2) if ARGS.tiny else (1 << 20, 1000)
    x = cuda.to_device(numpy.arange(n, dtype=numpy.float32) / n)
    y = cuda.to_device(numpy.ones(n, dtype=numpy.float32))
    threads = 64
    for _ in range(steps):
        axpy[(n + threads - 1) // threads, threads](x, y, numpy.float32(0.5))
    print(f"sum {x.copy_to_host().sum(dtype=numpy.float64):.10g}")


if __name__ == "__main__":
    try:
        main()
    except AttributeError as error:
        if "numpy" not in str(error):
            raise
        skip(error)  # Numba and NumPy do not fit together; Numba notices when it compiles
