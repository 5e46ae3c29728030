# SPDX-License-Identifier: Apache-2.0
import configs
from pipelines import Pipeline


class Generation(Pipeline):
    WHAT = "FLUX.1: joint and single transformer blocks, guidance distilled into the model"
    DEFAULTS = dict(size=(1024, 1024), steps=28, guidance=3.5, tokens=512, dtype="bf16")
    PIPELINE = "FluxPipeline"

    def parts(self):
        return dict(
            text_encoder=self.build.transformers("CLIPTextModel", configs.CLIP_L, "text_encoder"),
            text_encoder_2=self.build.transformers("T5EncoderModel", configs.T5_XXL, "text_encoder_2"),
            transformer=self.build.diffusers(
                "FluxTransformer2DModel", configs.FLUX, "transformer", repeats=True
            ),
            vae=self.build.diffusers("AutoencoderKL", configs.VAE_16, "vae"),
            scheduler=self.scheduler("FlowMatchEulerDiscreteScheduler", use_dynamic_shifting=True),
            tokenizer=None,
            tokenizer_2=None,
        )

    def text(self):
        return dict(
            prompt_embeds=self.hidden("text_encoder_2"),
            pooled_prompt_embeds=self.encoded("text_encoder").pooler_output,
        )
