# SPDX-License-Identifier: Apache-2.0
"""The models' sizes, as published where they are; what is assumed says so.  Needs nothing to import."""


class Config(dict):
    """Arguments of a model's constructor.

    tiny: what makes it a toy; repeated: arguments that repeat layers, and how many of them --layers 1 is.
    """

    def __init__(self, base=(), tiny=None, repeated=None, **arguments):
        super().__init__(base, **arguments)
        self.tiny = tiny if tiny is not None else getattr(base, "tiny", {})
        self.repeated = repeated if repeated is not None else getattr(base, "repeated", {})

    def sized(self, tiny=False, layers=None):
        changes = dict(self.tiny) if tiny else {}
        if layers:
            changes.update({name: layers * factor for name, factor in self.repeated.items()})
        return {**self, **changes}


# --- text encoders ------------------------------------------------------------------------------

TINY_CLIP = dict(hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4)
CLIP_L = Config(
    vocab_size=49408,
    hidden_size=768,
    intermediate_size=3072,
    num_hidden_layers=12,
    num_attention_heads=12,
    max_position_embeddings=77,
    hidden_act="quick_gelu",
    projection_dim=768,
    tiny=dict(TINY_CLIP, projection_dim=64),
)
CLIP_H = Config(
    CLIP_L,
    hidden_size=1024,
    intermediate_size=4096,
    num_hidden_layers=23,
    num_attention_heads=16,
    hidden_act="gelu",
)
CLIP_G = Config(
    CLIP_L,
    hidden_size=1280,
    intermediate_size=5120,
    num_hidden_layers=32,
    num_attention_heads=20,
    hidden_act="gelu",
    projection_dim=1280,
)
T5_XXL = Config(
    vocab_size=32128,
    d_model=4096,
    d_kv=64,
    d_ff=10240,
    num_layers=24,
    num_heads=64,
    feed_forward_proj="gated-gelu",
    tiny=dict(d_model=64, d_kv=16, d_ff=128, num_layers=2, num_heads=4),
    repeated=dict(num_layers=1),
)
UMT5_XXL = Config(T5_XXL, vocab_size=256384)

# --- language models ----------------------------------------------------------------------------

LLAMA2_7B = Config(
    vocab_size=32000,
    hidden_size=4096,
    intermediate_size=11008,
    num_hidden_layers=32,
    num_attention_heads=32,
    num_key_value_heads=32,
    max_position_embeddings=4096,
    rms_norm_eps=1e-5,
    tiny=dict(
        hidden_size=64,
        intermediate_size=128,
        num_attention_heads=4,
        num_key_value_heads=4,
        num_hidden_layers=2,
    ),
    repeated=dict(num_hidden_layers=1),
)
PARTI_3B = Config(
    vocab_size=24192,
    d_model=2048,
    encoder_layers=12,
    decoder_layers=36,
    encoder_attention_heads=32,
    decoder_attention_heads=32,
    encoder_ffn_dim=8192,
    decoder_ffn_dim=8192,
    max_position_embeddings=1152,
    scale_embedding=False,
    tiny=dict(
        d_model=64,
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=128,
        decoder_ffn_dim=128,
    ),
    repeated=dict(decoder_layers=1, encoder_layers=1),
)
PARTI_20B = Config(
    PARTI_3B,
    d_model=4096,
    encoder_layers=16,
    decoder_layers=64,
    encoder_attention_heads=64,
    decoder_attention_heads=64,
    encoder_ffn_dim=16384,
    decoder_ffn_dim=16384,
)
PARTI_750M = Config(
    PARTI_3B,
    d_model=1024,
    encoder_attention_heads=16,
    decoder_attention_heads=16,
    encoder_ffn_dim=4096,
    decoder_ffn_dim=4096,
)

# --- UNets --------------------------------------------------------------------------------------

UNET_REPEATED = dict(layers_per_block=1)
TINY_UNET = dict(block_out_channels=(32, 64, 64, 64), attention_head_dim=4, cross_attention_dim=64)
SD15 = Config(
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
    tiny=TINY_UNET,
    repeated=UNET_REPEATED,
)
SDXL = Config(
    sample_size=128,
    block_out_channels=(320, 640, 1280),
    transformer_layers_per_block=(1, 2, 10),
    down_block_types=("DownBlock2D",) + ("CrossAttnDownBlock2D",) * 2,
    up_block_types=("CrossAttnUpBlock2D",) * 2 + ("UpBlock2D",),
    attention_head_dim=(5, 10, 20),  # heads
    cross_attention_dim=2048,
    use_linear_projection=True,
    addition_embed_type="text_time",
    addition_time_embed_dim=256,
    projection_class_embeddings_input_dim=2816,
    tiny=dict(
        block_out_channels=(32, 64, 64),
        transformer_layers_per_block=(1, 1, 1),
        attention_head_dim=(2, 4, 4),
        cross_attention_dim=128,
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=64 + 6 * 8,
    ),
    repeated=UNET_REPEATED,
)
MS_1_7B = Config(
    SD15,
    sample_size=32,
    cross_attention_dim=1024,
    attention_head_dim=64,
    down_block_types=("CrossAttnDownBlock3D",) * 3 + ("DownBlock3D",),
    up_block_types=("UpBlock3D",) + ("CrossAttnUpBlock3D",) * 3,
    tiny=dict(TINY_UNET, attention_head_dim=16),
)
IF_I = Config(
    sample_size=64,
    in_channels=3,
    out_channels=6,
    act_fn="gelu",
    attention_head_dim=64,
    block_out_channels=(704, 1408, 2112, 2816),
    layers_per_block=3,
    down_block_types=("ResnetDownsampleBlock2D",) + ("SimpleCrossAttnDownBlock2D",) * 3,
    mid_block_type="UNetMidBlock2DSimpleCrossAttn",
    up_block_types=("SimpleCrossAttnUpBlock2D",) * 3 + ("ResnetUpsampleBlock2D",),
    cross_attention_dim=2816,
    cross_attention_norm="group_norm",
    encoder_hid_dim=4096,
    encoder_hid_dim_type="text_proj",
    addition_embed_type="text",
    addition_embed_type_num_heads=64,
    resnet_time_scale_shift="scale_shift",
    tiny=dict(
        block_out_channels=(32, 32, 64, 64),
        layers_per_block=1,
        attention_head_dim=16,
        cross_attention_dim=64,
        encoder_hid_dim=64,
        addition_embed_type_num_heads=4,
    ),
    repeated=UNET_REPEATED,
)
IF_II = Config(
    IF_I,
    sample_size=256,
    in_channels=6,
    block_out_channels=(160, 320, 640, 960, 1280),
    layers_per_block=(2, 2, 3, 5, 5),
    down_block_types=("ResnetDownsampleBlock2D",) * 3 + ("SimpleCrossAttnDownBlock2D",) * 2,
    up_block_types=("SimpleCrossAttnUpBlock2D",) * 2 + ("ResnetUpsampleBlock2D",) * 3,
    cross_attention_dim=1280,
    class_embed_type="timestep",
    resnet_skip_time_act=True,
    resnet_out_scale_factor=1.4142271248762552,
    mid_block_scale_factor=1.4142271248762552,
    tiny=dict(IF_I.tiny, block_out_channels=(32, 32, 32, 64, 64)),
)
# The base model as published; how many channels text has inside is an assumption.
IMAGEN_BASE = Config(
    channels=512,
    multipliers=(1, 2, 3, 4),
    blocks=(3, 3, 3, 3),
    attention_sides=(32, 16, 8),
    side=64,
    head_size=64,
    text_size=4096,
    tiny=dict(
        channels=32, blocks=(1, 1, 1, 1), attention_sides=(8, 4, 2), side=16, head_size=16, text_size=64
    ),
)
# 64 to 256 pixels: an efficient UNet, attention at its lowest level alone.
IMAGEN_SUPER_RESOLUTION = Config(
    IMAGEN_BASE,
    channels=128,
    multipliers=(1, 2, 4, 8),
    blocks=(2, 4, 8, 8),
    attention_sides=(32,),
    side=256,
    conditioned=True,
    tiny=dict(IMAGEN_BASE.tiny, attention_sides=(8,), side=64),
)

# --- transformers over images and videos --------------------------------------------------------

SD3_MEDIUM = Config(
    sample_size=128,
    patch_size=2,
    in_channels=16,
    num_layers=24,
    attention_head_dim=64,
    num_attention_heads=24,
    joint_attention_dim=4096,
    caption_projection_dim=1536,
    pooled_projection_dim=2048,
    out_channels=16,
    pos_embed_max_size=192,
    tiny=dict(
        num_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=128,
        caption_projection_dim=32,
        pooled_projection_dim=128,
    ),
    repeated=dict(num_layers=1),
)
FLUX = Config(
    patch_size=1,
    in_channels=64,
    num_layers=19,
    num_single_layers=38,
    attention_head_dim=128,
    num_attention_heads=24,
    joint_attention_dim=4096,
    pooled_projection_dim=768,
    guidance_embeds=True,
    axes_dims_rope=(16, 56, 56),
    tiny=dict(
        num_layers=1,
        num_single_layers=2,
        attention_head_dim=32,
        num_attention_heads=2,
        joint_attention_dim=64,
        pooled_projection_dim=64,
        axes_dims_rope=(8, 12, 12),
    ),
    repeated=dict(num_layers=1, num_single_layers=2),
)
WAN_1_3B = Config(
    patch_size=(1, 2, 2),
    num_attention_heads=12,
    attention_head_dim=128,
    in_channels=16,
    out_channels=16,
    text_dim=4096,
    freq_dim=256,
    ffn_dim=8960,
    num_layers=30,
    cross_attn_norm=True,
    qk_norm="rms_norm_across_heads",
    eps=1e-6,
    tiny=dict(num_layers=2, num_attention_heads=2, attention_head_dim=32, text_dim=64, ffn_dim=128),
    repeated=dict(num_layers=1),
)
AMUSED_512 = Config(
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
    tiny=dict(
        hidden_size=64,
        block_out_channels=32,
        in_channels=32,
        block_num_heads=2,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        num_res_blocks=1,
        cond_embed_dim=64,
        encoder_hidden_size=64,
    ),
    repeated=dict(num_hidden_layers=1),
)
TINY_MASKGIT = dict(size=64, depth=2, heads=4, mlp=128, text_size=64)
# Layers, width and vocabulary as published; heads and the inner width of the MLP are assumptions.
MUSE_BASE = Config(
    tokens=256,
    vocabulary=8192,
    size=2048,
    depth=48,
    heads=32,
    mlp=8192,
    text_size=4096,
    tiny=TINY_MASKGIT,
    repeated=dict(depth=1),
)
# 32 layers of 1024 are an assumption.
MUSE_SUPER_RESOLUTION = Config(
    MUSE_BASE, tokens=4096, size=1024, depth=32, heads=16, mlp=4096, low_tokens=256
)
PHENAKI = Config(
    tokens=1536,
    vocabulary=8192,
    size=2048,
    depth=24,
    heads=32,
    mlp=8192,
    text_size=4096,
    tiny=TINY_MASKGIT,
    repeated=dict(depth=1),
)

# --- decoders -----------------------------------------------------------------------------------

VAE_SD = Config(
    in_channels=3,
    out_channels=3,
    latent_channels=4,
    block_out_channels=(128, 256, 512, 512),
    layers_per_block=2,
    norm_num_groups=32,
    down_block_types=("DownEncoderBlock2D",) * 4,
    up_block_types=("UpDecoderBlock2D",) * 4,
    tiny=dict(block_out_channels=(32, 32, 32, 32)),
)
VAE_SDXL = Config(VAE_SD, scaling_factor=0.13025, force_upcast=False)  # as the VAE repaired for fp16
VAE_16 = Config(
    VAE_SD,
    latent_channels=16,
    use_quant_conv=False,
    use_post_quant_conv=False,
    force_upcast=False,
    scaling_factor=0.3611,
    shift_factor=0.1159,
)
VAE_SD3 = Config(VAE_16, scaling_factor=1.5305, shift_factor=0.0609)
VAE_WAN = Config(tiny=dict(base_dim=16))
AMUSED_VQ = Config(
    block_out_channels=(128, 256, 256, 512, 768),
    latent_channels=64,
    num_vq_embeddings=8192,
    layers_per_block=2,
    mid_block_add_attention=False,
    lookup_from_codebook=True,
    down_block_types=("DownEncoderBlock2D",) * 5,
    up_block_types=("UpDecoderBlock2D",) * 5,
    tiny=dict(block_out_channels=(32, 32, 32, 32, 32)),
)
# A VQGAN of 8 pixels a token.
MUSE_VQ = Config(
    AMUSED_VQ,
    block_out_channels=(128, 256, 256, 512),
    down_block_types=("DownEncoderBlock2D",) * 4,
    up_block_types=("UpDecoderBlock2D",) * 4,
    tiny=dict(block_out_channels=(32, 32, 32, 32)),
)
# A ViT-VQGAN of 8 pixels a token; its depth and width are assumptions.
PARTI_VQ = Config(
    vocabulary=8192,
    code_size=32,
    size=1280,
    depth=32,
    heads=16,
    mlp=5120,
    tiny=dict(size=64, depth=2, heads=4, mlp=128),
)
CVIVIT = Config(
    size=512,
    patch=8,
    frames_per_token=2,
    spatial_depth=4,
    temporal_depth=4,
    heads=8,
    codebook=8192,
    tiny=dict(size=64, spatial_depth=1, temporal_depth=1, heads=4),
)
