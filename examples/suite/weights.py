# SPDX-License-Identifier: Apache-2.0
"""Random weights, made where they will be used.

All weights of a model are views into one buffer, filled by one kernel, so that building it is next to
nothing beside a forward.  Zeros would not do: a GPU computes faster with them.
"""

import contextlib

import torch
from torch import nn

WEIGHT_STD = 0.02
ALIGNMENT = 128  # elements; what an allocator gives at least


@contextlib.contextmanager
def weights_without_memory(dtype):
    """Parameters of modules built here are on the meta device; buffers are real, on the host."""
    register = nn.Module.register_parameter

    def register_on_meta(module, name, parameter):
        register(module, name, parameter)
        if parameter is not None and parameter.device.type != "meta":
            module._parameters[name] = nn.Parameter(parameter.to("meta"), requires_grad=False)

    default = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    nn.Module.register_parameter = register_on_meta
    try:
        yield
    finally:
        nn.Module.register_parameter = register
        torch.set_default_dtype(default)


def is_norm_gain(module, name):
    return "norm" in type(module).__name__.lower() and name in ("weight", "gamma")


def strided_like_weight(flat, shape, channels_last):
    """A tensor of this shape on the flat memory, its channels last if that is asked for and possible."""
    if channels_last and len(shape) == 4:
        out, inner, height, width = shape
        return flat.view(out, height, width, inner).permute(0, 3, 1, 2)
    return flat.view(shape)


def place(module, device, dtype, channels_last=False):
    """Gives the module its weights: norms scale by one, all else is normal noise."""
    places = {}  # a tied parameter has several
    for owner in module.modules():
        for name, parameter in owner._parameters.items():
            if parameter is not None:
                places.setdefault(parameter, []).append((owner, name))
    gains_first = sorted(places, key=lambda parameter: not is_norm_gain(*places[parameter][0]))
    offsets, nr_gains, end = [], 0, 0
    for parameter in gains_first:
        offsets.append(end)
        end += -(-parameter.numel() // ALIGNMENT) * ALIGNMENT
        if is_norm_gain(*places[parameter][0]):
            nr_gains = end
    flat = torch.empty(end, dtype=dtype, device=device)
    flat[:nr_gains].fill_(1.0)
    flat[nr_gains:].normal_(0.0, WEIGHT_STD)
    for parameter, offset in zip(gains_first, offsets):
        memory = flat[offset : offset + parameter.numel()]
        weight = strided_like_weight(memory, parameter.shape, channels_last)
        for owner, name in places[parameter]:
            owner._parameters[name] = nn.Parameter(weight, requires_grad=False)
    for owner in module.modules():
        for name, buffer in owner._buffers.items():
            if buffer is not None:
                owner._buffers[name] = buffer.to(device)
    return module
