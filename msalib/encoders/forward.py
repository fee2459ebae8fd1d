"""A model's forward pass: its weights, its precision, and what every block returns.

Blocks are listened to directly. What transformers calls ``hidden_states`` differs between model
families and versions in whether the last entry is before or after the encoder's final LayerNorm.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msalib.base.errors import UserError


def precision(device: str) -> str:
    """Return the precision of a device: bfloat16 on a GPU that has it, else float32."""
    import torch

    return "bfloat16" if device == "cuda" and torch.cuda.is_bf16_supported() else "float32"


@contextmanager
def computing(device: str, precision: str) -> Iterator[None]:
    """Compute without gradients; bfloat16 by autocast's rule, in matrix products alone.

    Layer norms, softmax and the residual stream stay in float32.
    """
    import torch

    half = torch.autocast(device, torch.bfloat16, enabled=precision == "bfloat16")
    with torch.inference_mode(), half:
        yield


@contextmanager
def captured(blocks, keep: Callable) -> Iterator[list]:
    """Yield what enters the first block and what each returns, in order, as ``keep`` of the states.

    The list is filled when the model runs, while the context lasts.
    """
    states: list = []

    def entered(_, args, kwargs):
        states.append(keep(args[0] if args else kwargs["hidden_states"]))

    def returned(_, __, output):
        states.append(keep(output[0] if isinstance(output, tuple) else output))

    hooks = [blocks[0].register_forward_pre_hook(entered, with_kwargs=True)]
    hooks += [block.register_forward_hook(returned) for block in blocks]
    try:
        yield states
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def quiet() -> Iterator[None]:
    """Silence transformers' report on unused heads and its bar for a load of a second."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def preprocessor(path: Path) -> dict:
    """Return a model's configuration of how its input is prepared, empty where there is none.

    Raises ``UserError`` for a file that is no configuration.
    """
    file = path / "preprocessor_config.json"
    if not file.is_file():
        return {}
    try:
        settings = json.loads(file.read_bytes())
    except ValueError as error:
        raise _unreadable(file, str(error)) from error
    if not isinstance(settings, dict):
        raise _unreadable(file, f"a {type(settings).__name__}")
    return settings


def _unreadable(file: Path, found: str) -> UserError:
    return UserError(
        file,
        found=found,
        expected="the configuration of a preprocessor, in JSON",
        remedy="Restore the model's folder from its source.",
    )


def pretrained(model_class, path: Path, kinds: tuple[str, ...], unused: tuple[str, ...]):
    """Return a model with the weights in ``path``, float32, in evaluation mode.

    No code from the folder is run. ``kinds`` are the types of model that are accepted
    (``model_type`` in config.json), ``unused`` beginnings of names of tensors that may be missing.
    Raises ``UserError`` for another type of
    model and for weights that lack a tensor or cannot be read.
    """
    import torch
    from transformers import AutoConfig

    def bad(found):
        return UserError(
            path,
            found=found,
            expected=f"a model of type {' or '.join(kinds)} with its weights",
            remedy="Give the folder or hub id of such a model; msalib doctor lists those that "
            "work.",
        )

    try:
        with quiet():
            kind = AutoConfig.from_pretrained(path, trust_remote_code=False).model_type
            if kind not in kinds:
                raise bad(f"a model of type {kind}")
            model, loading = model_class.from_pretrained(
                path, trust_remote_code=False, dtype=torch.float32, output_loading_info=True
            )
    except (OSError, ValueError, RuntimeError) as error:
        raise bad(str(error).strip().splitlines()[0]) from error
    missing = sorted(k for k in loading["missing_keys"] if not k.startswith(unused))
    if missing:  # transformers fills them with random numbers
        raise bad(f"weights without {len(missing)} of the model's tensors, among them {missing[0]}")
    return model.eval()
