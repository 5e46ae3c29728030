# SPDX-License-Identifier: Apache-2.0
import configs
from pipelines import Pipeline


class Generation(Pipeline):
    WHAT = "Stable Diffusion 1.5: a UNet over latents, with guidance in one batch"
    DEFAULTS = dict(size=(512, 512), steps=50, guidance=7.5, tokens=77)
    PIPELINE = "StableDiffusionPipeline"

    def parts(self):
        return dict(
            text_encoder=self.build.transformers("CLIPTextModel", configs.CLIP_L, "text_encoder"),
            unet=self.build.diffusers("UNet2DConditionModel", configs.SD15, "unet", repeats=True),
            vae=self.build.diffusers("AutoencoderKL", configs.VAE_SD, "vae"),
            scheduler=self.scheduler(
                "DDIMScheduler",
                beta_start=0.00085,
                beta_end=0.012,
                beta_schedule="scaled_linear",
                set_alpha_to_one=False,
                clip_sample=False,
                steps_offset=1,
            ),
            tokenizer=None,
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )

    def text(self):
        return dict(
            prompt_embeds=self.hidden("text_encoder"), negative_prompt_embeds=self.hidden("text_encoder")
        )
