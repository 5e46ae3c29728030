#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make an image with Stable Diffusion 1.5: text encoder, denoising steps, VAE decode.

The models have the real sizes and random weights, so nothing is downloaded and the image is noise.
What is left is what matters to a profiler: the same work that real weights would be.
"""

import argparse
import pathlib
import sys
import time
import zlib

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from transformers import CLIPTextConfig, CLIPTextModel

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "suite"))
from configs import CLIP_L, SD15, VAE_SD

DTYPES = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}

SCHEDULER = dict(
    beta_start=0.00085,
    beta_end=0.012,
    beta_schedule="scaled_linear",
    set_alpha_to_one=False,
    clip_sample=False,
    steps_offset=1,
)


def parse_arguments(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=512, help="image side in pixels")
    parser.add_argument("--steps", type=int, default=20, help="denoising steps")
    parser.add_argument("--batch", type=int, default=1, help="images at once")
    parser.add_argument("--guidance", type=float, default=7.5, help="1 or less: no guidance pass")
    parser.add_argument("--dtype", choices=DTYPES, default="fp16")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--attention", choices=("sdpa", "eager"), default="sdpa")
    parser.add_argument("--compile", action="store_true", help="torch.compile the UNet")
    parser.add_argument("--tiny", action="store_true", help="toy models, to try the program out")
    args = parser.parse_args(argv)
    if args.tiny:
        args.size, args.steps = min(args.size, 64), min(args.steps, 2)
    return args


def build_pipeline(args):
    """The pipeline on its device, its weights drawn there from args.seed."""
    unet, vae, clip = (config.sized(args.tiny) for config in (SD15, VAE_SD, CLIP_L))
    torch.manual_seed(args.seed)
    torch.set_default_dtype(DTYPES[args.dtype])
    with torch.device(args.device):
        unet = UNet2DConditionModel(**unet)
        vae = AutoencoderKL(**vae)
        text_encoder = CLIPTextModel(CLIPTextConfig(**clip, attn_implementation=args.attention))
    torch.set_default_dtype(torch.float32)
    if args.attention == "eager":
        unet.set_attn_processor(AttnProcessor())
        vae.set_attn_processor(AttnProcessor())
    pipeline = StableDiffusionPipeline(
        vae=vae,
        text_encoder=text_encoder,
        tokenizer=None,
        unet=unet,
        scheduler=DDIMScheduler(**SCHEDULER),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    for model in (unet, vae, text_encoder):
        model.eval().requires_grad_(False)
    if args.compile:
        unet.compile(mode="reduce-overhead")
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def encode_prompt(pipeline, args, generator):
    """Random token ids through the text encoder: there is no tokenizer to download."""
    config = pipeline.text_encoder.config
    tokens = torch.randint(
        config.vocab_size,
        (args.batch, config.max_position_embeddings),
        device=args.device,
        generator=generator,
    )
    return pipeline.text_encoder(tokens)[0]


@torch.inference_mode()
def generate(pipeline, args):
    """Images as a tensor (batch, 3, size, size) of values from 0 to 1."""
    generator = torch.Generator(args.device).manual_seed(args.seed)
    return pipeline(
        prompt_embeds=encode_prompt(pipeline, args, generator),
        negative_prompt_embeds=encode_prompt(pipeline, args, generator),
        height=args.size,
        width=args.size,
        num_inference_steps=args.steps,
        guidance_scale=args.guidance,
        generator=generator,
        output_type="pt",
    ).images


def checksum(images):
    """CRC of the images in 8 bits a channel; None if a value is not a number."""
    if not torch.isfinite(images).all():
        return None
    return zlib.crc32((images.float() * 255).round().byte().cpu().numpy().tobytes())


def main():
    args = parse_arguments()
    pipeline = build_pipeline(args)
    begin = time.monotonic()
    images = generate(pipeline, args)
    crc = checksum(images)
    print(f"generated in {time.monotonic() - begin:.2f} s", file=sys.stderr)
    if crc is None:
        sys.exit("the image has values that are not numbers")
    print(f"images {tuple(images.shape)} checksum {crc:08x}")


if __name__ == "__main__":
    main()
