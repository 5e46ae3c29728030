# SPDX-License-Identifier: Apache-2.0
"""Generative models of real width with random weights, each with inputs: nothing is downloaded.

prepare() returns a function that does one forward pass (or one generation).  Sizes and weights are those
of examples/suite.
"""

import argparse
import contextlib
import dataclasses
import pathlib
import sys
import typing

import torch
from torch.nn.attention import sdpa_kernel

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "examples/suite"))
import configs
from attention import BACKENDS as SDPA_BACKENDS
from parts import DTYPES
from weights import place, weights_without_memory

BACKENDS = ("default", *SDPA_BACKENDS, "unfused")

# Where depth only repeats itself, models have fewer layers than their originals.
LLAMA2_7B = configs.Config(configs.LLAMA2_7B, num_hidden_layers=4)
LLAMA_GQA = configs.Config(
    LLAMA2_7B,
    num_key_value_heads=8,
    intermediate_size=14336,
    tiny={**configs.LLAMA2_7B.tiny, "num_key_value_heads": 2},
)
SD3_MEDIUM = configs.Config(configs.SD3_MEDIUM, num_layers=8)
FLUX = configs.Config(configs.FLUX, num_layers=3, num_single_layers=6)
WAN_1_3B = configs.Config(configs.WAN_1_3B, num_layers=4)
PARTI_3B = configs.Config(configs.PARTI_3B, encoder_layers=4, decoder_layers=6)
T5_XXL = configs.Config(configs.T5_XXL, num_layers=4)


class Draw:
    """Random inputs, drawn on the host so that they cost the GPU one copy each."""

    def __init__(self, device, dtype):
        self.device = device
        self.dtype = dtype
        self.generator = torch.Generator().manual_seed(1)

    def normal(self, *shape):
        return torch.randn(shape, generator=self.generator).to(self.dtype).to(self.device)

    def tokens(self, limit, *shape):
        return torch.randint(limit, shape, generator=self.generator).to(self.device)

    def constant(self, value, *shape, dtype=None):
        return torch.full(shape, value, dtype=dtype or self.dtype).to(self.device)


@dataclasses.dataclass
class Model:
    """build(tiny, attn) makes the module, without weights; inputs(config, draw, tiny) its arguments."""

    build: typing.Callable
    inputs: typing.Callable
    dtype: str = "fp16"
    call: typing.Callable = lambda module, inputs: module(**inputs)
    new_tokens: int = 0  # that a call generates, one decode step each after the first


def diffusers_model(class_name, config):
    def build(is_tiny, attn):
        import diffusers
        from diffusers.models.attention_processor import AttnAddedKVProcessor, AttnProcessor

        module = getattr(diffusers, class_name)(**config.sized(is_tiny))
        if attn == "unfused":
            added_kv = any("SimpleCrossAttn" in name for name in config.get("down_block_types", ()))
            module.set_attn_processor(AttnAddedKVProcessor() if added_kv else AttnProcessor())
        return module

    return build


def transformers_model(class_name, config):
    def build(is_tiny, attn):
        import transformers

        model_class = getattr(transformers, class_name)
        implementation = "eager" if attn == "unfused" else "sdpa"
        return model_class(
            model_class.config_class(**config.sized(is_tiny), attn_implementation=implementation)
        )

    return build


def unet_inputs(batch=2, tokens=77, frames=()):
    def inputs(config, draw, tiny):
        side = 16 if tiny else config.sample_size
        return dict(
            sample=draw.normal(batch, config.in_channels, *frames, side, side),
            timestep=draw.constant(500, dtype=torch.int64),
            encoder_hidden_states=draw.normal(batch, tokens, config.cross_attention_dim),
        )

    return inputs


def sdxl_inputs(config, draw, tiny):
    text, times = (64, 6) if tiny else (1280, 6)
    added = dict(text_embeds=draw.normal(2, text), time_ids=draw.normal(2, times))
    return dict(unet_inputs()(config, draw, tiny), added_cond_kwargs=added)


def if_inputs(config, draw, tiny):
    side = 32 if tiny else config.sample_size
    return dict(
        sample=draw.normal(1, config.in_channels, side, side),
        timestep=draw.constant(500, dtype=torch.int64),
        encoder_hidden_states=draw.normal(1, 77, config.encoder_hid_dim),
        class_labels=draw.constant(250, 1, dtype=torch.int64),
    )


def sd3_inputs(config, draw, tiny):
    side = 16 if tiny else config.sample_size
    return dict(
        hidden_states=draw.normal(2, config.in_channels, side, side),
        encoder_hidden_states=draw.normal(2, 333, config.joint_attention_dim),
        pooled_projections=draw.normal(2, config.pooled_projection_dim),
        timestep=draw.constant(500.0, 2),
    )


def flux_inputs(config, draw, tiny):
    image, text = (64, 16) if tiny else (4096, 512)
    return dict(
        hidden_states=draw.normal(1, image, config.in_channels),
        encoder_hidden_states=draw.normal(1, text, config.joint_attention_dim),
        pooled_projections=draw.normal(1, config.pooled_projection_dim),
        timestep=draw.constant(0.5, 1),
        guidance=draw.constant(3.5, 1),
        img_ids=draw.constant(1, image, 3),
        txt_ids=draw.constant(0, text, 3),
    )


def wan_inputs(config, draw, tiny):
    frames, height, width = (2, 8, 8) if tiny else (21, 60, 104)
    return dict(
        hidden_states=draw.normal(1, config.in_channels, frames, height, width),
        encoder_hidden_states=draw.normal(1, 32 if tiny else 512, config.text_dim),
        timestep=draw.constant(500, 1, dtype=torch.int64),
    )


def amused_inputs(config, draw, tiny):
    side = 16 if tiny else config.sample_size
    return dict(
        input_ids=draw.tokens(config.codebook_size, 2, side, side),
        encoder_hidden_states=draw.normal(2, 77, config.encoder_hidden_size),
        pooled_text_emb=draw.normal(2, config.cond_embed_dim),
        micro_conds=draw.normal(2, 5),
    )


def token_inputs(batch, length):
    def inputs(config, draw, tiny):
        length_now = min(length, 16) if tiny else length
        return dict(input_ids=draw.tokens(config.vocab_size - 10, batch, length_now))

    return inputs


def prompt_inputs(batch, length):
    """Token ids with a mask that hides none: generate() would make one itself."""

    def inputs(config, draw, tiny):
        ids = token_inputs(batch, length)(config, draw, tiny)["input_ids"]
        return dict(input_ids=ids, attention_mask=draw.constant(1, *ids.shape, dtype=torch.int64))

    return inputs


def latent_inputs(*shape, tiny_shape):
    return lambda config, draw, tiny: dict(z=draw.normal(*(tiny_shape if tiny else shape)))


def generate(new_tokens, **options):
    """A call that generates exactly so many tokens, whatever they are."""

    def call(module, inputs):
        return module.generate(
            **inputs,
            max_new_tokens=new_tokens,
            min_new_tokens=new_tokens,
            eos_token_id=None,
            pad_token_id=0,
            **options,
        )

    return call


LLAMA_NEW_TOKENS = 8
PARTI_NEW_TOKENS = 16
UNET_2D, UNET_3D = "UNet2DConditionModel", "UNet3DConditionModel"

MODELS = {
    "sd15": Model(diffusers_model(UNET_2D, configs.SD15), unet_inputs()),
    "vae": Model(
        diffusers_model("AutoencoderKL", configs.VAE_SD),
        latent_inputs(1, 4, 64, 64, tiny_shape=(1, 4, 8, 8)),
        call=lambda module, inputs: module.decode(**inputs),
    ),
    "unet3d": Model(diffusers_model(UNET_3D, configs.MS_1_7B), unet_inputs(frames=(16,))),
    "clip": Model(transformers_model("CLIPTextModel", configs.CLIP_L), token_inputs(2, 77)),
    "llama": Model(
        transformers_model("LlamaForCausalLM", LLAMA2_7B),
        prompt_inputs(1, 512),
        "bf16",
        generate(LLAMA_NEW_TOKENS, do_sample=True),
        LLAMA_NEW_TOKENS,
    ),
    "llama_gqa": Model(
        transformers_model("LlamaForCausalLM", LLAMA_GQA),
        prompt_inputs(1, 512),
        "bf16",
        generate(LLAMA_NEW_TOKENS, do_sample=False),
        LLAMA_NEW_TOKENS,
    ),
    "sdxl": Model(diffusers_model(UNET_2D, configs.SDXL), sdxl_inputs),
    "sd3": Model(diffusers_model("SD3Transformer2DModel", SD3_MEDIUM), sd3_inputs),
    "flux": Model(diffusers_model("FluxTransformer2DModel", FLUX), flux_inputs, "bf16"),
    "wan": Model(diffusers_model("WanTransformer3DModel", WAN_1_3B), wan_inputs, "bf16"),
    "wan_vae": Model(
        diffusers_model("AutoencoderKLWan", configs.VAE_WAN),
        latent_inputs(1, 16, 3, 40, 64, tiny_shape=(1, 16, 2, 4, 4)),
        "bf16",
        call=lambda module, inputs: module.decode(**inputs),
    ),
    "amused": Model(diffusers_model("UVit2DModel", configs.AMUSED_512), amused_inputs),
    "parti": Model(
        transformers_model("BartForConditionalGeneration", PARTI_3B),
        prompt_inputs(2, 128),
        call=generate(PARTI_NEW_TOKENS, do_sample=True, num_beams=1, forced_eos_token_id=None),
        new_tokens=PARTI_NEW_TOKENS,
    ),
    "if": Model(diffusers_model(UNET_2D, configs.IF_II), if_inputs),
    "t5": Model(transformers_model("T5EncoderModel", T5_XXL), token_inputs(1, 512), "bf16"),
}


def move_channels_last(inputs):
    return {
        name: value.to(memory_format=torch.channels_last)
        if isinstance(value, torch.Tensor) and value.dim() == 4
        else value
        for name, value in inputs.items()
    }


def backend_context(backend, device):
    """The attention backend that PyTorch is held to; on a CPU only math can be asked for."""
    if backend not in SDPA_BACKENDS or (device == "cpu" and backend != "math"):
        return contextlib.nullcontext()
    return sdpa_kernel([SDPA_BACKENDS[backend]])


def add_arguments(parser):
    parser.add_argument("name", choices=MODELS)
    parser.add_argument("--backend", choices=BACKENDS, default="default", help="attention backend")
    parser.add_argument("--dtype", choices=DTYPES, help="default: what the model is run with")
    parser.add_argument("--tf32", action="store_true", help="lets fp32 products use TF32")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="toy widths, to try the program out")


def prepare(args: argparse.Namespace):
    """(module, a function without arguments that does one forward pass); seeded."""
    model = MODELS[args.name]
    # On a CPU fp16 is slow, and not implemented for everything.
    dtype = DTYPES[args.dtype or ("fp32" if args.device == "cpu" else model.dtype)]
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = args.tf32
    torch.backends.cudnn.allow_tf32 = args.tf32
    with weights_without_memory(dtype):
        module = model.build(args.tiny, args.backend)
    place(module.eval(), args.device, dtype, args.channels_last)
    inputs = model.inputs(module.config, Draw(args.device, dtype), args.tiny)
    if args.channels_last:
        inputs = move_channels_last(inputs)

    def forward():
        with torch.inference_mode(), backend_context(args.backend, args.device):
            return model.call(module, inputs)

    return module, forward


def tensor_of(output):
    """The main tensor of what a model returns."""
    while not isinstance(output, torch.Tensor):
        output = output[0]
    return output
