# SPDX-License-Identifier: Apache-2.0
"""Generative models of real width with random weights, each with inputs: nothing is downloaded.

prepare() returns a function that does one forward pass (or one generation).  Where depth only repeats
itself, models have fewer layers than their originals.  All weights of a model are views into one
buffer, filled by one kernel, so that building it is next to nothing beside a forward.
"""

import argparse
import contextlib
import dataclasses
import typing

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

DTYPES = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}
SDPA_BACKENDS = {
    "flash": SDPBackend.FLASH_ATTENTION,
    "efficient": SDPBackend.EFFICIENT_ATTENTION,
    "cudnn": SDPBackend.CUDNN_ATTENTION,
    "math": SDPBackend.MATH,
}
BACKENDS = ("default", *SDPA_BACKENDS, "unfused")
WEIGHT_STD = 0.02
ALIGNMENT = 128  # elements; what an allocator gives at least

SD15 = dict(
    sample_size=64,
    in_channels=4,
    out_channels=4,
    block_out_channels=(320, 640, 1280, 1280),
    layers_per_block=2,
    attention_head_dim=8,  # diffusers means 8 heads
    cross_attention_dim=768,
    norm_num_groups=32,
    down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
    up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
)
VAE_SD = dict(
    in_channels=3,
    out_channels=3,
    latent_channels=4,
    block_out_channels=(128, 256, 512, 512),
    layers_per_block=2,
    norm_num_groups=32,
    down_block_types=("DownEncoderBlock2D",) * 4,
    up_block_types=("UpDecoderBlock2D",) * 4,
)
MS_1_7B = dict(
    SD15,
    sample_size=32,
    cross_attention_dim=1024,
    attention_head_dim=64,
    down_block_types=("CrossAttnDownBlock3D",) * 3 + ("DownBlock3D",),
    up_block_types=("UpBlock3D",) + ("CrossAttnUpBlock3D",) * 3,
)
CLIP_L = dict(
    vocab_size=49408,
    hidden_size=768,
    intermediate_size=3072,
    num_hidden_layers=12,
    num_attention_heads=12,
    max_position_embeddings=77,
    hidden_act="quick_gelu",
)
LLAMA2_7B = dict(
    vocab_size=32000,
    hidden_size=4096,
    intermediate_size=11008,
    num_hidden_layers=4,
    num_attention_heads=32,
    num_key_value_heads=32,
    max_position_embeddings=4096,
    rms_norm_eps=1e-5,
)
SDXL = dict(
    sample_size=128,
    block_out_channels=(320, 640, 1280),
    transformer_layers_per_block=(1, 2, 10),
    down_block_types=("DownBlock2D",) + ("CrossAttnDownBlock2D",) * 2,
    up_block_types=("CrossAttnUpBlock2D",) * 2 + ("UpBlock2D",),
    attention_head_dim=(5, 10, 20),
    cross_attention_dim=2048,
    use_linear_projection=True,
    addition_embed_type="text_time",
    addition_time_embed_dim=256,
    projection_class_embeddings_input_dim=2816,
)
SD3_MEDIUM = dict(
    sample_size=128,
    patch_size=2,
    in_channels=16,
    num_layers=8,
    attention_head_dim=64,
    num_attention_heads=24,
    joint_attention_dim=4096,
    caption_projection_dim=1536,
    pooled_projection_dim=2048,
    out_channels=16,
    pos_embed_max_size=192,
)
FLUX = dict(
    patch_size=1,
    in_channels=64,
    num_layers=3,
    num_single_layers=6,
    attention_head_dim=128,
    num_attention_heads=24,
    joint_attention_dim=4096,
    pooled_projection_dim=768,
    guidance_embeds=True,
    axes_dims_rope=(16, 56, 56),
)
WAN_1_3B = dict(
    patch_size=(1, 2, 2),
    num_attention_heads=12,
    attention_head_dim=128,
    in_channels=16,
    out_channels=16,
    text_dim=4096,
    freq_dim=256,
    ffn_dim=8960,
    num_layers=4,
    cross_attn_norm=True,
    qk_norm="rms_norm_across_heads",
    eps=1e-6,
)
AMUSED_512 = dict(
    hidden_size=1024,
    cond_embed_dim=768,
    micro_cond_encode_dim=256,
    micro_cond_embed_dim=1280,
    encoder_hidden_size=768,
    vocab_size=8256,
    codebook_size=8192,
    in_channels=768,
    block_out_channels=768,
    num_res_blocks=3,
    downsample=True,
    upsample=True,
    block_num_heads=12,
    num_hidden_layers=22,
    num_attention_heads=16,
    intermediate_size=2816,
    use_bias=False,
    sample_size=32,
)
PARTI_3B = dict(
    vocab_size=24192,
    d_model=2048,
    encoder_layers=4,
    decoder_layers=6,
    encoder_attention_heads=32,
    decoder_attention_heads=32,
    encoder_ffn_dim=8192,
    decoder_ffn_dim=8192,
    max_position_embeddings=1152,
    scale_embedding=False,
)
IF_II = dict(
    sample_size=256,
    in_channels=6,
    out_channels=6,
    act_fn="gelu",
    attention_head_dim=64,
    block_out_channels=(160, 320, 640, 960, 1280),
    layers_per_block=(2, 2, 3, 5, 5),
    down_block_types=("ResnetDownsampleBlock2D",) * 3 + ("SimpleCrossAttnDownBlock2D",) * 2,
    mid_block_type="UNetMidBlock2DSimpleCrossAttn",
    up_block_types=("SimpleCrossAttnUpBlock2D",) * 2 + ("ResnetUpsampleBlock2D",) * 3,
    cross_attention_dim=1280,
    cross_attention_norm="group_norm",
    class_embed_type="timestep",
    encoder_hid_dim=4096,
    encoder_hid_dim_type="text_proj",
    addition_embed_type="text",
    addition_embed_type_num_heads=64,
    resnet_time_scale_shift="scale_shift",
    resnet_skip_time_act=True,
    resnet_out_scale_factor=1.4142271248762552,
    mid_block_scale_factor=1.4142271248762552,
)
T5_XXL = dict(
    vocab_size=32128,
    d_model=4096,
    d_kv=64,
    d_ff=10240,
    num_layers=4,
    num_heads=64,
    feed_forward_proj="gated-gelu",
)


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


def diffusers_model(class_name, config, **tiny):
    def build(is_tiny, attn):
        import diffusers
        from diffusers.models.attention_processor import AttnAddedKVProcessor, AttnProcessor

        module = getattr(diffusers, class_name)(**{**config, **(tiny if is_tiny else {})})
        if attn == "unfused":
            added_kv = any("SimpleCrossAttn" in name for name in config.get("down_block_types", ()))
            module.set_attn_processor(AttnAddedKVProcessor() if added_kv else AttnProcessor())
        return module

    return build


def transformers_model(class_name, config_name, config, **tiny):
    def build(is_tiny, attn):
        import transformers

        config_class = getattr(transformers, config_name)
        implementation = "eager" if attn == "unfused" else "sdpa"
        settings = config_class(**{**config, **(tiny if is_tiny else {})}, attn_implementation=implementation)
        return getattr(transformers, class_name)(settings)

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
    text, times = (32, 6) if tiny else (1280, 6)
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


NARROW_UNET = dict(block_out_channels=(32, 64, 64, 64), attention_head_dim=4, cross_attention_dim=64)
NARROW_LLAMA = dict(hidden_size=64, intermediate_size=128, num_attention_heads=4, num_hidden_layers=2)
LLAMA_NEW_TOKENS = 8
PARTI_NEW_TOKENS = 16

MODELS = {
    "sd15": Model(diffusers_model("UNet2DConditionModel", SD15, **NARROW_UNET), unet_inputs()),
    "vae": Model(
        diffusers_model("AutoencoderKL", VAE_SD, block_out_channels=(32, 32, 32, 32)),
        latent_inputs(1, 4, 64, 64, tiny_shape=(1, 4, 8, 8)),
        call=lambda module, inputs: module.decode(**inputs),
    ),
    "unet3d": Model(
        diffusers_model("UNet3DConditionModel", MS_1_7B, **{**NARROW_UNET, "attention_head_dim": 16}),
        unet_inputs(frames=(16,)),
    ),
    "clip": Model(
        transformers_model(
            "CLIPTextModel",
            "CLIPTextConfig",
            CLIP_L,
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
        ),
        token_inputs(2, 77),
    ),
    "llama": Model(
        transformers_model(
            "LlamaForCausalLM", "LlamaConfig", LLAMA2_7B, **NARROW_LLAMA, num_key_value_heads=4
        ),
        prompt_inputs(1, 512),
        "bf16",
        generate(LLAMA_NEW_TOKENS, do_sample=True),
        LLAMA_NEW_TOKENS,
    ),
    "llama_gqa": Model(
        transformers_model(
            "LlamaForCausalLM",
            "LlamaConfig",
            dict(LLAMA2_7B, num_key_value_heads=8, intermediate_size=14336),
            **NARROW_LLAMA,
            num_key_value_heads=2,
        ),
        prompt_inputs(1, 512),
        "bf16",
        generate(LLAMA_NEW_TOKENS, do_sample=False),
        LLAMA_NEW_TOKENS,
    ),
    "sdxl": Model(
        diffusers_model(
            "UNet2DConditionModel",
            SDXL,
            block_out_channels=(32, 64, 64),
            transformer_layers_per_block=(1, 1, 1),
            attention_head_dim=(2, 4, 4),
            cross_attention_dim=64,
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=32 + 6 * 8,
        ),
        sdxl_inputs,
    ),
    "sd3": Model(
        diffusers_model(
            "SD3Transformer2DModel",
            SD3_MEDIUM,
            num_layers=2,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=64,
            caption_projection_dim=32,
            pooled_projection_dim=64,
        ),
        sd3_inputs,
    ),
    "flux": Model(
        diffusers_model(
            "FluxTransformer2DModel",
            FLUX,
            num_layers=1,
            num_single_layers=2,
            attention_head_dim=32,
            num_attention_heads=2,
            joint_attention_dim=64,
            axes_dims_rope=(8, 12, 12),
        ),
        flux_inputs,
        "bf16",
    ),
    "wan": Model(
        diffusers_model(
            "WanTransformer3DModel",
            WAN_1_3B,
            num_layers=2,
            num_attention_heads=2,
            attention_head_dim=32,
            text_dim=64,
            ffn_dim=128,
        ),
        wan_inputs,
        "bf16",
    ),
    "wan_vae": Model(
        diffusers_model("AutoencoderKLWan", dict(), base_dim=16),
        latent_inputs(1, 16, 3, 40, 64, tiny_shape=(1, 16, 2, 4, 4)),
        "bf16",
        call=lambda module, inputs: module.decode(**inputs),
    ),
    "amused": Model(
        diffusers_model(
            "UVit2DModel",
            AMUSED_512,
            hidden_size=64,
            block_out_channels=32,
            in_channels=32,
            block_num_heads=2,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=64,
            num_res_blocks=1,
        ),
        amused_inputs,
    ),
    "parti": Model(
        transformers_model(
            "BartForConditionalGeneration",
            "BartConfig",
            PARTI_3B,
            d_model=64,
            encoder_layers=1,
            decoder_layers=2,
            encoder_attention_heads=4,
            decoder_attention_heads=4,
            encoder_ffn_dim=128,
            decoder_ffn_dim=128,
        ),
        prompt_inputs(2, 128),
        call=generate(PARTI_NEW_TOKENS, do_sample=True, num_beams=1, forced_eos_token_id=None),
        new_tokens=PARTI_NEW_TOKENS,
    ),
    "if": Model(
        diffusers_model(
            "UNet2DConditionModel",
            IF_II,
            block_out_channels=(32, 32, 32, 64, 64),
            layers_per_block=(1, 1, 1, 1, 1),
            attention_head_dim=16,
            cross_attention_dim=64,
            encoder_hid_dim=64,
            addition_embed_type_num_heads=4,
        ),
        if_inputs,
    ),
    "t5": Model(
        transformers_model(
            "T5EncoderModel", "T5Config", T5_XXL, d_model=64, d_kv=16, d_ff=128, num_layers=2, num_heads=4
        ),
        token_inputs(1, 512),
        "bf16",
    ),
}


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


def place(module, device, dtype, channels_last):
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
