"""How many engines fit: what one will take, what there is, and which one has to leave for it. No vLLM is needed."""

import os
import sys
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from litellm.llms.remodlai.engine import memory, needs, room, settings
from litellm.llms.remodlai.engine.memory import GIB
from litellm.llms.remodlai.engine.needs import OVERHEAD_BYTES, needs_of
from litellm.llms.remodlai.engine.room import Room
from litellm.llms.remodlai.errors import LexiqNovaError

HALF = SimpleNamespace(itemsize=2)
SINGLE = SimpleNamespace(itemsize=4)


class Options(SimpleNamespace):
    """vLLM's engine arguments."""

    gpu_memory_utilization = 0.92
    kv_cache_memory_bytes: int | None = None
    tensor_parallel_size = pipeline_parallel_size = data_parallel_size = 1
    distributed_executor_backend: str | None = None
    nnodes = 1


def model(folder: Path, dtype: Any = HALF, length: int = 1024) -> Any:
    text = SimpleNamespace(num_attention_heads=8, hidden_size=512, num_hidden_layers=4, dtype=HALF)
    return SimpleNamespace(model=str(folder), revision=None, dtype=dtype, max_model_len=length, hf_text_config=text)


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Says what an engine needs on a machine with 64 GiB, on its CPU or on GPUs of 80 GiB; it has 2 GiB of weights."""
    (tmp_path / "model.safetensors").touch()
    os.truncate(tmp_path / "model.safetensors", 2 * GIB)
    (tmp_path / "pytorch_model.bin").touch()
    os.truncate(tmp_path / "pytorch_model.bin", 2 * GIB)  # the same weights once more
    monkeypatch.setattr(needs, "total_bytes", lambda: 64 * GIB)
    for name in ("CUDA_VISIBLE_DEVICES", "VLLM_CPU_KVCACHE_SPACE"):
        monkeypatch.delenv(name, raising=False)

    def said(platform: str, options: Options | None = None, shares: bool = True, **of_model: Any) -> Any:
        stand_in = SimpleNamespace(
            is_cpu=lambda: platform == "cpu",
            device_control_env_var="CUDA_VISIBLE_DEVICES",
            get_device_total_memory=lambda: 80 * GIB,
        )
        monkeypatch.setitem(sys.modules, "vllm", SimpleNamespace())
        monkeypatch.setitem(sys.modules, "vllm.platforms", SimpleNamespace(current_platform=stand_in))
        arguments = Namespace()
        found = needs_of(arguments, options or Options(), model(tmp_path, **of_model), shares)
        return found, getattr(arguments, "kv_cache_memory_bytes", None)

    return said


def gib(size: float) -> dict[str, float]:
    return {"memory": size * GIB + OVERHEAD_BYTES}


def test_on_a_cpu_it_is_weights_and_cache(on: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert on("cpu", Options(kv_cache_memory_bytes=3 * GIB)) == (gib(5), None)
    assert on("cpu", Options(kv_cache_memory_bytes=3 * GIB), dtype=SINGLE) == (gib(7), None)
    assert on("cpu", Options(kv_cache_memory_bytes=3 * GIB, tensor_parallel_size=2)) == (gib(8), None)
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "8")
    assert on("cpu") == (gib(10), None)


def test_on_a_cpu_where_nobody_says_how_much_there_is_room_for_others(on: Any) -> None:
    assert on("cpu") == (gib(4), 2 * GIB)
    # A prompt as long as the model allows still fits.
    (needed, cache) = on("cpu", length=2**20)
    assert cache == int(2**20 * 2 * 4 * 8 * 64 * 2 * needs.SLACK) and needed == {
        "memory": 2 * GIB + cache + OVERHEAD_BYTES
    }
    # What vLLM does by itself: one with a longer prompt than memory, an explicit limit, a share that is given.
    whole = {"memory": 0.92 * 64 * GIB}
    assert on("cpu", length=2**24) == (whole, None)
    assert on("cpu", shares=False) == (whole, None)
    assert on("cpu", Options(gpu_memory_utilization=0.5)) == ({"memory": 32 * GIB}, None)


@pytest.mark.parametrize(
    ("options", "space", "says"),
    [
        ({"gpu_memory_utilization": 0.0}, "", "above 0 and at most 1, not 0.0"),
        ({"gpu_memory_utilization": float("nan")}, "", "above 0 and at most 1, not nan"),
        ({"gpu_memory_utilization": 1.5}, "", "above 0 and at most 1, not 1.5"),
        ({"kv_cache_memory_bytes": 0}, "", "must be above 0, not 0"),
        ({"kv_cache_memory_bytes": -1}, "", "must be above 0, not -1"),
        (
            {"kv_cache_memory_bytes": 63 * GIB},
            "",
            "2.0 GiB of weights and 63.0 GiB of cache are more than this",
        ),
        ({}, "1GiB", "VLLM_CPU_KVCACHE_SPACE must be a whole number of GiB, not '1GiB'"),
        ({}, "4k", "a whole number of GiB, not '4k'"),
        ({}, "-4", "a whole number of GiB, not '-4'"),
        ({}, "4096", "4096.0 GiB of cache are more than"),
    ],
)
def test_numbers_that_cannot_be_meant(
    on: Any, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], space: str, says: str
) -> None:
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", space)
    with pytest.raises(SystemExit, match=says) as refused:
        on("cpu", Options(**options))
    assert str(refused.value).startswith("lexiq_nova: error: ")


def test_on_gpus_it_is_a_share_of_each(on: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert on("gpu") == ({"0": 0.92}, None)
    assert on("gpu", Options(gpu_memory_utilization=0.4, tensor_parallel_size=2)) == ({"0": 0.4, "1": 0.4}, None)
    assert on("gpu", Options(device_ids=[3, 1], tensor_parallel_size=2))[0] == {"3": 0.92, "1": 0.92}
    assert on("gpu", Options(device_ids=["GPU-5f"]))[0] == {"GPU-5f": 0.92}
    (of_cache, _) = on("gpu", Options(kv_cache_memory_bytes=10 * GIB))
    assert of_cache == {"0": (12 * GIB + OVERHEAD_BYTES) / (80 * GIB)}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, 5")
    assert on("gpu", Options(tensor_parallel_size=2))[0] == {"2": 0.92, "5": 0.92}
    assert on("gpu", Options(device_ids=[1]))[0] == {"5": 0.92}
    assert on("gpu", Options(tensor_parallel_size=4))[0] is None


def test_an_engine_sleeps_where_the_platform_can_and_memory_holds_its_weights(
    on: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    on("gpu")
    platform = sys.modules["vllm.platforms"].current_platform
    arguments = Namespace()
    platform.is_sleep_mode_available = lambda: False
    assert needs.sleep_of(arguments, model(tmp_path)) == {} and vars(arguments) == {}
    platform.is_sleep_mode_available = lambda: True
    assert needs.sleep_of(arguments, model(tmp_path)) == {"sleeps": 2 * GIB} and arguments.enable_sleep_mode
    monkeypatch.setenv("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")
    assert needs.sleep_of(Namespace(), model(tmp_path)) == {}
    for available, can in ((3 * GIB, True), (2 * GIB, False), (None, False)):
        monkeypatch.setattr(needs, "available_bytes", lambda available=available: available)
        assert needs.has_memory_for({"sleeps": 2 * GIB}) is can


@pytest.mark.parametrize("platform", ["cpu", "cuda"])
def test_what_spreads_over_several_machines_is_not_compared_with_this_one(on: Any, platform: str) -> None:
    many = {"kv_cache_memory_bytes": 3 * GIB, "tensor_parallel_size": 64}
    assert on(platform, Options(**many, distributed_executor_backend="ray")) == (None, None)
    assert on(platform, Options(**many, nnodes=8)) == (None, None)


def test_weights_that_are_not_here_yet_are_not_guessed(on: Any, tmp_path: Path) -> None:
    for file in tmp_path.iterdir():
        file.unlink()
    assert on("cpu", Options(kv_cache_memory_bytes=GIB)) == (None, None)
    assert on("gpu") == ({"0": 0.92}, None)


def test_shares_of_one_device_add_up_and_devices_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def up(**share: float) -> dict[str, Any]:
        return {"needs": {name.strip("_"): each for name, each in share.items()}, "pid": 0}

    mine = Room(None, up(_0=0.4))
    assert mine.holds([]) and mine.holds([up(_0=0.5)]) and mine.holds([up(_1=0.92), up(_0=0.3), up(_0=0.2)])
    assert not mine.holds([up(_0=0.92)]) and not mine.holds([up(_0=0.3, _1=0.3), up(_0=0.3)])
    assert not mine.holds([{"pid": 1, "needs": None}]) and not Room(None, {}).holds([up(_0=0.1)])
    assert mine.rivals([up(_0=0.1), up(_1=0.1)]) == [up(_0=0.1)]
    assert Room(2, {}).holds([up(_0=0.92)]) and not Room(1, {}).holds([up(_1=0.1)])


def test_memory_that_was_promised_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    held = {1: 2 * GIB, 2: 1 * GIB, 9: 0}
    monkeypatch.setattr(room, "resident_bytes", held.__getitem__)
    monkeypatch.setattr(room, "available_bytes", lambda: 10 * GIB)

    def up(pid: int, size: float) -> dict[str, Any]:
        return {"pid": pid, "needs": {"memory": size * GIB}}

    mine = Room(None, up(9, 5))
    assert mine.holds([up(1, 4), up(2, 3)])  # 4 GiB to come of 10
    assert not mine.holds([up(1, 6), up(2, 3)])
    assert mine.holds([up(2, 3)], leaving=[up(1, 6)])
    monkeypatch.setattr(room, "available_bytes", lambda: None)
    assert mine.holds([]) and not mine.holds([up(1, 1)])


@pytest.mark.parametrize(("text", "limit"), [("", None), ("1", 1), ("3", 3), ("2.9", 2)])
def test_an_explicit_limit_wins(monkeypatch: pytest.MonkeyPatch, text: str, limit: int | None) -> None:
    monkeypatch.setenv("LEXIQ_NOVA_MAX_ENGINES", text)
    assert settings.max_engines() == limit


@pytest.mark.parametrize("text", ["0", "-1", "0.5", "x", "nan", "inf", "1e999"])
def test_a_limit_that_cannot_be_meant(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("LEXIQ_NOVA_MAX_ENGINES", text)
    with pytest.raises(LexiqNovaError, match="LEXIQ_NOVA_MAX_ENGINES must be") as refused:
        settings.max_engines()
    assert refused.value.status_code == 400


def test_the_limits_of_control_groups_count(tmp_path: Path) -> None:
    def group(folder: str, names: tuple[str, str], limit: str, used: int, cache: str) -> None:
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / names[0]).write_text(limit)
        (tmp_path / folder / names[1]).write_text(str(used))
        (tmp_path / folder / "memory.stat").write_text(f"anon 5\n{cache} 3\n")

    processes = tmp_path / "cgroup"
    second = ("memory.max", "memory.current")
    group("pod", second, "100", 50, "inactive_file")
    group("pod/box", second, "max\n", 40, "inactive_file")
    processes.write_text("0::/pod/box\n")
    assert list(memory._limits(processes, tmp_path)) == [(100, 47)]
    group("memory", ("memory.limit_in_bytes", "memory.usage_in_bytes"), "70", 30, "total_inactive_file")
    processes.write_text("4:memory:/docker/of-another-namespace\n3:cpu,cpuacct:/x\n0::/elsewhere\n")
    assert list(memory._limits(processes, tmp_path)) == [(70, 27)]
    assert list(memory._limits(tmp_path / "none", tmp_path)) == []


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="Linux")
def test_this_machine_and_this_process() -> None:
    total, available = memory.total_bytes(), memory.available_bytes()
    assert total is not None and available is not None and 0 < available < total
    assert memory.resident_bytes(os.getpgid(0)) > 10 * 2**20
