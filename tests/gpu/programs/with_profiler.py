#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same work over and over, some of it inside a profiler of the framework's own.

Writes what that profiler has seen to FILE, as JSON: a list of profiles, each a list of kernels
[name, begin in ns since 1970 or null, ns, correlation id or null, count].
"""

import argparse
import glob
import json
import os
import tempfile
import time

TORCH_PROFILERS = {
    "torch-cuda": dict(cpu=False),
    "torch": dict(cpu=True),
    "torch-stacks": dict(cpu=True, with_stack=True),
}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profiler", required=True, help="+ between several, in turn")
    parser.add_argument("--times", type=int, default=1, help="profiles of each")
    parser.add_argument("--steps", type=int, default=20, help="steps of work, each time")
    parser.add_argument("--whole", action="store_true", help="from before the first CUDA call to the end")
    parser.add_argument("--backlog", action="store_true", help="start and stop while the GPU is busy")
    parser.add_argument("--output", required=True, metavar="FILE")
    return parser.parse_args()


class TorchWork:
    """Linear layers, a norm, copies, fills, and a CUDA graph that was captured before."""

    def __init__(self):
        import torch

        self.torch = torch
        self.graph = None

    def prepare(self):
        torch = self.torch
        torch.manual_seed(0)
        self.model = torch.nn.Sequential(
            torch.nn.Linear(512, 2048), torch.nn.GELU(), torch.nn.Linear(2048, 512), torch.nn.LayerNorm(512)
        ).to("cuda", torch.float16)
        self.x = torch.randn(64, 512, device="cuda", dtype=torch.float16)
        self.large = torch.randn(4096, 4096, device="cuda", dtype=torch.float16)
        self.host = torch.zeros(64, 512, dtype=torch.float16)
        side = torch.cuda.Stream()
        with torch.cuda.stream(side), torch.no_grad():
            for _ in range(3):
                self.model(self.x)
        torch.cuda.synchronize()
        self.graph = torch.cuda.CUDAGraph()
        with torch.no_grad(), torch.cuda.graph(self.graph):
            self.model(self.x)
        self.step()

    def step(self):
        torch = self.torch
        with torch.no_grad():
            y = self.model(self.x)
            torch.softmax(y.float(), -1)
            y.zero_()
            self.host.copy_(y)
            self.graph.replay()

    def queue(self):
        for _ in range(60):
            self.torch.mm(self.large, self.large)

    def wait(self):
        self.torch.cuda.synchronize()


class JaxWork:
    def __init__(self):
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
        import jax

        self.jax = jax

    def prepare(self):
        jax, jnp = self.jax, self.jax.numpy

        def layer(x, w):
            return jax.nn.softmax(jax.nn.gelu(x @ w) @ w.T + x, -1)

        self.layer = jax.jit(layer)
        self.x = jnp.ones((64, 512), jnp.bfloat16)
        self.w = jnp.ones((512, 2048), jnp.bfloat16)
        self.large = jnp.ones((4096, 4096), jnp.bfloat16)
        self.product = jax.jit(lambda a: a @ a)
        self.y = self.layer(self.x, self.w)
        self.product(self.large).block_until_ready()
        self.wait()

    def step(self):
        self.y = self.layer(self.x, self.w)

    def queue(self):
        for _ in range(60):
            self.last = self.product(self.large)

    def wait(self):
        self.y.block_until_ready()


class Torch:
    """torch.profiler; what it has seen is in its trace."""

    def __init__(self, work, cpu, **options):
        from torch.profiler import ProfilerActivity, profile

        activities = [ProfilerActivity.CUDA] + [ProfilerActivity.CPU] * cpu
        self.make = lambda: profile(activities=activities, **options)

    def start(self):
        self.profile = self.make()
        self.profile.start()

    def stop(self):
        self.profile.stop()
        with tempfile.TemporaryDirectory() as folder:
            path = folder + "/trace.json"
            self.profile.export_chrome_trace(path)
            with open(path, encoding="utf-8") as file:
                trace = json.load(file)
        base = trace.get("baseTimeNanoseconds", 0)
        return [
            [e["name"], base + round(e["ts"] * 1000), round(e["dur"] * 1000), e["args"]["correlation"], 1]
            for e in trace["traceEvents"]
            if e.get("cat") == "kernel"
        ]


class Proton:
    """Triton's Proton, which keeps sums."""

    def __init__(self, work):
        import triton.profiler

        self.proton = triton.profiler

    def start(self):
        self.folder = tempfile.TemporaryDirectory()
        self.proton.start(self.folder.name + "/profile", hook=None)

    def stop(self):
        self.proton.finalize()
        (path,) = glob.glob(self.folder.name + "/profile*")
        with open(path, encoding="utf-8") as file:
            tree = json.load(file)
        self.folder.cleanup()
        return list(self.kernels(tree[0]))

    def kernels(self, node):
        metrics = node.get("metrics", {})
        if metrics.get("count"):
            yield [node["frame"]["name"], None, metrics["time (ns)"], None, metrics["count"]]
        for child in node.get("children", ()):
            yield from self.kernels(child)


class Jax:
    def __init__(self, work):
        self.jax = work.jax

    def start(self):
        self.folder = tempfile.TemporaryDirectory()
        self.jax.profiler.start_trace(self.folder.name)

    def stop(self):
        self.jax.profiler.stop_trace()
        (path,) = glob.glob(self.folder.name + "/plugins/profile/*/*.xplane.pb")
        data = self.jax.profiler.ProfileData.from_file(path)
        found = [
            [e.name, int(e.start_ns), int(e.duration_ns), dict(e.stats).get("correlation_id"), 1]
            for plane in data.planes
            if plane.name.startswith("/device:GPU")
            for line in plane.lines
            if line.name.startswith("Stream")
            for e in line.events
            if not e.name.startswith(("Memcpy", "Memset", "MemcpyD", "MemcpyH"))
        ]
        self.folder.cleanup()
        return found


def profiler(name, work):
    if name in TORCH_PROFILERS:
        return Torch(work, **TORCH_PROFILERS[name])
    return {"proton": Proton, "jax": Jax}[name](work)


def profile_once(p, work, args):
    if args.backlog:
        work.queue()
    p.start()
    for _ in range(args.steps):
        work.step()
    if not args.backlog:
        work.wait()
    return p.stop()


def main():
    args = parse_arguments()
    names = args.profiler.split("+")
    work = JaxWork() if names == ["jax"] else TorchWork()
    profiles = []
    if args.whole:
        p = profiler(names[0], work)
        p.start()
        work.prepare()
        for _ in range(args.steps):
            work.step()
        work.wait()
        profiles.append(p.stop())
    else:
        work.prepare()
        ready = {name: profiler(name, work) for name in names}
        for _ in range(args.times):
            for name in names:
                for _ in range(args.steps):
                    work.step()
                work.wait()
                profiles.append(profile_once(ready[name], work, args))
        for _ in range(args.steps):
            work.step()
    work.wait()
    with open(args.output, "w", encoding="utf-8") as file:
        json.dump({"profiles": profiles, "offset_ns": time.time_ns() - time.monotonic_ns()}, file)
    print("done")


if __name__ == "__main__":
    main()
