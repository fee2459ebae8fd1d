"""Answer what a model is: one architecture, one file, its recipe beside it.

A model is found by the name of its file, which offers

    Config      pydantic: the ``model`` group of its recipe, <name>.yaml
    Training    pydantic: the ``train`` group, with ``regime()`` (``training.regime``)
    build       (config, *, sizes, layers, outputs) -> Module: ``sizes`` input features by stream,
                ``layers`` number of layers of weighted streams, ``outputs`` scores per clip; its
                forward takes (features, mask) of a ``Batch`` and returns a NamedTuple with
                ``prediction`` (B,) or (B, outputs)

and, where it needs them,

    groups      (model) -> named parameters by part, for learning rates (default: one part, "model")
    objective   (training, model, train, stream) -> Objective (default: the error of the prediction)
    extras      (training, fit, examples, outputs) -> what its records add (``models.extras``)
    CONTRIBUTIONS  module that says what each modality contributes to a prediction, with the
                functions of ``models.gated``; without it a model cannot be saved for single clips
    MODALITIES  the modalities that the model reads (default: all)
    LAST        last blocks of a fine-tuned text encoder that the model reads (default: one)
    CONTEXT     True where the model reads streams of context (``data.streams``)
    pretraining (config, training) -> ``masked_pairs.Recipe``, where runs may begin from pretrained
                weights, those of the model's attribute ``streams``
    REPLICABLE  True where runs may train as replicas (``training.replicas``): one part, the default
                objective, dropout of ``base.noise``, and no buffer that training changes

``spt`` and ``mult`` encode sequences inside SUGRM; ``multitask``, ``ulgm`` and ``unimodal_tasks``
are what it shares with Self-MM; ``utterance`` is what TFN and LMF share. ``cme`` fuses text and
sound inside MMML; ``sound`` is what the two models of sound in its Table 2 share. ``masked_pairs``
holds what CMT is pretrained with. ``gated`` is arithmetic of models with gates, ``heads`` of models
with a head per modality.
"""

from importlib import import_module


def module(name: str):
    """Return the module of a model; torch loads with it."""
    return import_module(f"msalib.models.{name}")
