# SPDX-License-Identifier: Apache-2.0
import configs
from parts import Workload, as_pixels, class_of, denoise


class Generation(Workload):
    WHAT = "ms-1.7b, which stands in for Make-A-Video: a UNet with attention in space, then in time"
    DEFAULTS = dict(size=(256, 256), steps=50, frames=16, guidance=9.0, tokens=77)

    def __init__(self, settings):
        super().__init__(settings)
        self.text_encoder = self.build.transformers("CLIPTextModel", configs.CLIP_H, "text_encoder")
        self.unet = self.build.diffusers("UNet3DConditionModel", configs.MS_1_7B, "unet", repeats=True)
        self.vae = self.build.diffusers("AutoencoderKL", configs.VAE_SD, "vae")

    def _text(self):
        ids = self.build.prompt(self.text_encoder.config.vocab_size, self.settings.tokens)
        return self.text_encoder(ids).last_hidden_state

    def generate(self):
        s = self.settings
        text = self.both(self._text)
        scheduler = class_of("diffusers.DDIMScheduler")(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            clip_sample=False,
            steps_offset=1,
        )

        def predict(x, t):
            return self.unet(x, t, encoder_hidden_states=text).sample

        noise = self.noise(s.batch, 4, s.frames, s.size[0] // 8, s.size[1] // 8)
        latents = denoise(predict, noise, scheduler, s.steps, s.guidance)
        frames = latents.transpose(1, 2).flatten(0, 1) / self.vae.config.scaling_factor
        return as_pixels(self.vae.decode(frames).sample).unflatten(0, (s.batch, s.frames))
