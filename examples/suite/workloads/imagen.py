# SPDX-License-Identifier: Apache-2.0
import configs
import torch
from imagen_unet import ImagenSuperResUNet, ImagenUNet
from parts import Workload, as_pixels, class_of, denoise

SUPER_RESOLUTION_GUIDANCE = 4.0


class Generation(Workload):
    WHAT = "Imagen: UNets over pixels, 64 then 256, half the steps for the second"
    DEFAULTS = dict(steps=100, guidance=7.0, tokens=128)

    def __init__(self, settings):
        super().__init__(settings)
        self.text_encoder = self.build.transformers("T5EncoderModel", configs.T5_XXL, "text_encoder")
        self.base = self.build.own(ImagenUNet, configs.IMAGEN_BASE, repeats=True)
        self.super_resolution = self.build.own(
            ImagenSuperResUNet, configs.IMAGEN_SUPER_RESOLUTION, repeats=True
        )

    def _text(self):
        ids = self.build.prompt(self.text_encoder.config.vocab_size, self.settings.tokens)
        return self.text_encoder(ids).last_hidden_state.to(self.settings.torch_dtype)

    def _scheduler(self):
        return class_of("diffusers.DDPMScheduler")(beta_schedule="squaredcos_cap_v2", clip_sample=True)

    def generate(self):
        s = self.settings
        text = self.both(self._text)
        side, large = (
            config.sized(s.tiny)["side"] for config in (configs.IMAGEN_BASE, configs.IMAGEN_SUPER_RESOLUTION)
        )
        image = denoise(
            lambda x, t: self.base(x, t, text),
            self.noise(s.batch, 3, side, side),
            self._scheduler(),
            s.steps,
            s.guidance,
        )
        enlarged = torch.nn.functional.interpolate(image, size=(large, large), mode="bilinear")
        beside = torch.cat([enlarged, enlarged])
        image = denoise(
            lambda x, t: self.super_resolution(torch.cat([x, beside], dim=1), t, text),
            self.noise(s.batch, 3, large, large),
            self._scheduler(),
            max(1, s.steps // 2),
            SUPER_RESOLUTION_GUIDANCE,
        )
        return as_pixels(image)
