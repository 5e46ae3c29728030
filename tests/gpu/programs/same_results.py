#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does a piece of real work with fixed seeds and prints a digest of every bit that came out."""

import argparse
import hashlib
import os
import pathlib
import sys

# Before the frameworks start: choices that would differ from run to run are taken away.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
os.environ.setdefault("XLA_FLAGS", "--xla_gpu_deterministic_ops=true --xla_gpu_autotune_level=0")
ROOT = pathlib.Path(__file__).resolve().parents[3]


def say(name, array):
    print(name, array.dtype, array.shape, hashlib.sha256(array.tobytes()).hexdigest())


def say_tensor(name, tensor):
    import torch

    bits = tensor.detach().contiguous().cpu().view(torch.uint8)
    print(name, tensor.dtype, tuple(tensor.shape), hashlib.sha256(bits.numpy().tobytes()).hexdigest())


def seeded_torch():
    import torch

    torch.manual_seed(0)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
    return torch


def transformers_generate(args):
    """A language model of small width samples 48 tokens for each of two prompts."""
    torch = seeded_torch()
    from transformers import LlamaConfig, LlamaForCausalLM

    width = 64 if args.tiny else 1024
    config = LlamaConfig(
        vocab_size=32000,
        hidden_size=width,
        intermediate_size=3 * width,
        num_hidden_layers=2 if args.tiny else 8,
        num_attention_heads=8,
        num_key_value_heads=4,
    )
    model = LlamaForCausalLM(config).eval().to(args.device)
    prompts = torch.randint(3, 32000, (2, 64)).to(args.device)
    with torch.inference_mode():
        tokens = model.generate(
            prompts,
            attention_mask=torch.ones_like(prompts),
            do_sample=True,
            max_new_tokens=48,
            pad_token_id=0,
        )
        logits = model(tokens).logits
    print("tokens", tokens[:, 64:].tolist())
    say_tensor("logits", logits)


def diffusers_image(args):
    """Stable Diffusion 1.5 with random weights, four steps."""
    seeded_torch()
    sys.path.insert(0, str(ROOT / "examples/diffusion"))
    import generate

    options = ["--steps=4", "--size=256", f"--device={args.device}"]
    options = generate.parse_arguments(options + ["--tiny"] * args.tiny)
    say_tensor("image", generate.generate(generate.build_pipeline(options), options))


def torch_training(args):
    """Forward, backward and AdamW on a convolutional network with attention, 10 steps."""
    torch = seeded_torch()
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Sequential(nn.Conv2d(3, 64, 3, 2, 1), nn.GroupNorm(8, 64), nn.SiLU())
            self.layer = nn.TransformerEncoderLayer(64, 4, 128, batch_first=True)
            self.head = nn.Linear(64, 10)

        def forward(self, x):
            x = self.stem(x).flatten(2).transpose(1, 2)
            return self.head(self.layer(x).mean(1))

    net = Net().to(args.device)
    optimizer = torch.optim.AdamW(net.parameters(), 1e-3)
    for _ in range(10):
        x = torch.randn(8, 3, 32, 32).to(args.device)
        y = torch.randint(10, (8,)).to(args.device)
        loss = nn.functional.cross_entropy(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        say_tensor("loss", loss)
    for name, parameter in net.named_parameters():
        say_tensor(name, parameter)


def torch_compile(args):
    """The same block compiled, replayed as CUDA graphs, then run eagerly."""
    torch = seeded_torch()
    import torch._inductor.config as inductor
    from torch import nn

    if hasattr(inductor, "deterministic"):
        inductor.deterministic = True
    net = nn.Sequential(
        nn.Linear(256, 1024), nn.GELU(), nn.LayerNorm(1024), nn.Linear(1024, 256), nn.Softmax(-1)
    ).to(args.device)
    compiled = torch.compile(net, mode="reduce-overhead")
    with torch.inference_mode():
        for i in range(20):
            x = torch.randn(64, 256).to(args.device)
            torch.compiler.cudagraph_mark_step_begin()
            say_tensor(f"compiled {i}", compiled(x).clone())
        say_tensor("eager", net(x))


def cuda_graph(args):
    """A captured step, replayed, its input changed in between, captured again."""
    torch = seeded_torch()
    net = torch.nn.Sequential(torch.nn.Linear(512, 512), torch.nn.SiLU(), torch.nn.Linear(512, 512))
    net = net.to(args.device)
    x = torch.randn(32, 512).to(args.device)
    with torch.inference_mode():
        side = torch.cuda.Stream()
        with torch.cuda.stream(side):
            net(x)
        torch.cuda.synchronize()
        for i in range(3):
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                y = net(x)
            for k in range(10):
                x.copy_(torch.full_like(x, 0.1 * k + i))
                graph.replay()
                say_tensor(f"replay {i} {k}", y)


def jax_training(args):
    """Gradient descent on a small convolutional network with attention, 10 jitted steps."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    jax.config.update("jax_platforms", args.device)

    def forward(w, x):
        x = jax.nn.silu(
            jax.lax.conv_general_dilated(
                x, w["conv"], (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
            )
        )
        x = x.reshape(x.shape[0], -1, 4, x.shape[-1] // 4)
        x = jax.nn.dot_product_attention(x, x, x).reshape(x.shape[0], -1, w["out"].shape[0])
        return x.mean(1) @ w["out"]

    def loss_of(w, x, y):
        return -jnp.mean(jnp.sum(jax.nn.log_softmax(forward(w, x)) * y, -1))

    @jax.jit
    def step(w, x, y):
        loss, gradient = jax.value_and_grad(loss_of)(w, x, y)
        return loss, jax.tree.map(lambda a, g: a - 0.1 * g, w, gradient)

    key = jax.random.key(0)
    w = {"conv": jax.random.normal(key, (3, 3, 3, 64)) * 0.1, "out": jax.random.normal(key, (64, 10)) * 0.1}
    for i in range(10):
        x = jax.random.normal(jax.random.key(i), (8, 32, 32, 3))
        y = jax.nn.one_hot(jax.random.randint(jax.random.key(i), (8,), 0, 10), 10)
        loss, w = step(w, x, y)
        say("loss", np.asarray(loss))
    for name in sorted(w):
        say(name, np.asarray(w[name]))


CASES = {
    function.__name__: function
    for function in (
        transformers_generate,
        diffusers_image,
        torch_training,
        torch_compile,
        cuda_graph,
        jax_training,
    )
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", choices=CASES)
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--tiny", action="store_true")
    args = parser.parse_args()
    CASES[args.case](args)


if __name__ == "__main__":
    main()
