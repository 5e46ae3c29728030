#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small diffusion block in JAX, jitted: convolution, group norm, attention."""

import argparse
import os

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # leave memory to others

import jax
import jax.numpy as jnp
from jax import lax


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--tiny", action="store_true")
    return parser.parse_args()


def group_norm(x, groups=32):
    b, h, w, c = x.shape
    x = x.reshape(b, h * w, groups, c // groups)
    mean = x.mean(axis=(1, 3), keepdims=True)
    variance = x.var(axis=(1, 3), keepdims=True)
    return ((x - mean) * lax.rsqrt(variance + 1e-5)).reshape(b, h, w, c)


def convolution(x, kernel):
    return lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def attention(x, qkv, out, heads=8):
    b, h, w, c = x.shape
    q, k, v = jnp.split((x.reshape(b, h * w, c) @ qkv).reshape(b, h * w, 3 * heads, c // heads), 3, axis=2)
    return (jax.nn.dot_product_attention(q, k, v).reshape(b, h * w, c) @ out).reshape(b, h, w, c)


@jax.jit
def block(x, weights):
    x = x + convolution(jax.nn.silu(group_norm(x)), weights["conv"])
    x = x + attention(group_norm(x), weights["qkv"], weights["out"])
    return 0.5 * x


def random_weights(key, channels, dtype):
    shapes = {
        "conv": (3, 3, channels, channels),
        "qkv": (channels, 3 * channels),
        "out": (channels, channels),
    }
    keys = jax.random.split(key, len(shapes))
    return {name: 0.02 * jax.random.normal(k, shape, dtype) for k, (name, shape) in zip(keys, shapes.items())}


def main():
    args = parse_arguments()
    jax.config.update("jax_platforms", args.device)
    channels, side, steps = (32, 8, 3) if args.tiny else (320, 64, 50)
    dtype = jnp.bfloat16 if args.device == "cuda" else jnp.float32
    weights = random_weights(jax.random.key(0), channels, dtype)
    x = jax.random.normal(jax.random.key(1), (2, side, side, channels), dtype)
    for _ in range(steps):
        x = block(x, weights)
    # XLA picks kernels by trying them out, so only a few digits are the same each time.
    print(f"mean square {float(jnp.mean(jnp.square(x.astype(jnp.float32)))):.2g}")


if __name__ == "__main__":
    main()
