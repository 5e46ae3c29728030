# SPDX-License-Identifier: Apache-2.0
"""Traces as text for commands that lay runs side by side: what each launch is and how long it took."""

import math
import struct

NAMES = {
    "convolution": "sm90_xmma_fprop_implicit_gemm_f16f16_f16f32_f32_nhwckrsc_nhwc_tilesize128x192x64",
    "attention": "cudnn_generated_fort_native_sdpa_sm90_flash_fprop_wgmma_f16_knob_7_64x128x64_4x1x1_kernel0_0",
    "flash": "void pytorch_flash::flash_fwd_kernel<Flash_fwd_kernel_traits<64, 128, 128, 4, false, false, "
    "cutlass::half_t, Flash_kernel_traits<64, 128, 128, 4, cutlass::half_t> >, false, false, false, false, false, "
    "true, false, false>(pytorch_flash::Flash_fwd_params)",
    "product": "nvjet_sm90_hsh_96x128_64x6_1x2_h_bz_NNN",
    "softmax": "void (anonymous namespace)::softmax_warp_forward<c10::Half, c10::Half, float, 9, false, false>"
    "(c10::Half*, c10::Half const*, int, int, int, bool const*, int, bool)",
    "elementwise": "void at::native::vectorized_elementwise_kernel<4, at::native::silu_kernel>(int)",
    "norm": "void at::native::(anonymous namespace)::RowwiseMomentsCUDAKernel<c10::Half>(long)",
}


# Offset and size of each parameter.
LAYOUTS = {
    "flash": " parameters=[0,472]",
    "softmax": " parameters=[0,8,8,8,16,4,20,4,24,4,32,8,40,4,44,1]",
}


def convolution(ns, *y):
    """A 3x3 convolution of 4 channels with the output given: batch, channels, (depth,) height, width."""
    kernel = ",".join(["3"] * (len(y) - 2))
    x = ",".join(map(str, (y[0], 4, *y[2:])))
    w, out, ones = f"{y[1]},4,{kernel}", ",".join(map(str, y)), ",".join(["1"] * (len(y) - 2))
    call = f"convolution api=1 x=[{x}] w=[{w}] y=[{out}] pads=[{ones}] strides=[{ones}] dilations=[{ones}] type_x=2 type_w=2 type_y=2"
    return "convolution", call, ns


def attention(ns, b, h, s_q, d, s_k=None):
    """Attention that a library was asked for."""
    k = f"{b},{h},{s_k or s_q},{d}"
    return "attention", f"sdpa api=1 q=[{b},{h},{s_q},{d}] k=[{k}] v=[{k}] o=[{b},{h},{s_q},{d}] type=2", ns


def flash(ns, b, h, s, d):
    """Attention by a kernel whose parameters say its shape."""
    parameters = bytearray(472)
    for at, value in ((96, h), (100, h), (104, 1), (176, b), (180, s), (184, s), (192, d), (196, s), (200, s), (204, 64)):
        struct.pack_into("<I", parameters, at, value)
    struct.pack_into("<f", parameters, 216, 1 / math.sqrt(d))
    text = "".join(f"\\x{byte:02x}" for byte in parameters)
    return "flash", f'parameters bytes="{text}"', ns


def product(ns, m, n, k, batch):
    """A matrix product as cuBLAS is asked for it."""
    call = f"gemm api=1 m={m} n={n} k={k} batch={batch} transpose_a=1 type_a=2 type_b=2 type_c=2 type_d=2 compute=68 epilogue=1 ld_a={k} ld_b={k} ld_d={m}"
    return "product", call, ns


def softmax(ns, rows, length):
    parameters = bytearray(48)
    for at, value in ((0, 1), (8, 1), (16, rows), (20, length), (24, length)):
        struct.pack_into("<I", parameters, at, value)
    text = "".join(f"\\x{byte:02x}" for byte in parameters)
    return "softmax", f'parameters bytes="{text}"', ns


def plain(kernel, ns):
    return kernel, None, ns


def run(phases, gpu="NVIDIA H200", command="app", with_gpu_rows=True):
    """phases: [(name or None, [launch])]; each is marked where it has a name."""
    definitions = [
        f'process pid=1 begin_ns=100 begin_realtime_ns=1700000000000000000 host="gpu01" command="{command}"',
        f'device ordinal=0 name="{gpu}"',
        'string id=1 text="cudnnBackendExecute"',
    ]
    ids, host, device, marks = {}, [], [], []
    now = 1000

    def number(sort, key, line):
        if (sort, key) not in ids:
            ids[sort, key] = 1 + sum(kind == sort for kind, _ in ids)
            definitions.append(line(ids[sort, key]))
        return ids[sort, key]

    for name, launches in phases:
        if name is not None:
            marks.append(f'mark time_ns={now - 500} tid=1 text="{name}"')
        for kernel, call, ns in launches:
            layout = LAYOUTS.get(kernel, "")
            k = number("kernel", kernel, lambda n: f'string id={n + 9} text="{NAMES[kernel]}"\nkernel id={n} name={n + 9}{layout}')
            c, p = 0, 0
            sort, _, rest = (call or "").partition(" ")
            if sort == "parameters":
                p = number(sort, call, lambda n: f"parameters id={n} kernel={k} {rest}")
            elif sort:
                c = number("call", call, lambda n: f"{sort} id={n} {rest}")
            t = number("template", (k, c), lambda n: f"template id={n} op=1 kernel={k} grid_x=1 grid_y=1 grid_z=1 block_x=32 block_y=1 block_z=1 call={c}")
            d = number("device", k, lambda n: f"device_template id={n} activity=1 name={k + 9} grid_x=1 grid_y=1 grid_z=1 block_x=32 block_y=1 block_z=1")
            host.append(f"\t{t} 100 {now} {len(host) + 1} 0 0 {p}")
            device.append(f"\t{d} {ns} {now + 200} {len(host)}")
            now += ns + 1000
        if name is not None:
            marks.append(f'mark time_ns={now - 600} tid=1 text=""')
    rows = ["host tid=1", *host] if host else []
    rows += ["gpu", *device] if device and with_gpu_rows else []
    return "\n".join([*definitions, *marks, *rows, "finish reason=1", ""])
