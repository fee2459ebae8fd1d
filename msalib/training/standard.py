"""The training of most baselines: Adam at one rate, early stopping, the error of the prediction."""

from functools import partial

from pydantic import BaseModel, ConfigDict, NonNegativeFloat, PositiveFloat, PositiveInt

from msalib.training.regime import Part, Regime
from msalib.training.streams import Keyed


class Standard(BaseModel):
    """The ``train`` group of a recipe; each value has its source there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: PositiveInt
    patience: PositiveInt | None
    batch_size: PositiveInt
    learning_rate: PositiveFloat
    weight_decay: NonNegativeFloat

    def parts(self) -> dict[str, Part]:
        """Return learning rate and weight decay by part of the model."""
        return {"model": Part(self.learning_rate, self.weight_decay)}

    def regime(self) -> Regime:
        """Return the regime of this recipe."""
        return Regime(
            epochs=self.epochs,
            batch_size=self.batch_size,
            parts=self.parts(),
            stream=partial(Keyed, masking=None),
            patience=self.patience,
        )
