"""Each branch of the choices, from made-up facts: no test here needs the machine it is about."""

import pytest
import torch
from torch import nn

from bardgpt.training import devices
from bardgpt.training.devices import (
    DeviceError,
    Facts,
    autocast,
    choose_device,
    choose_precision,
    compiled_if_useful,
    facts,
    without_kernels,
)
from bardgpt.training.distributed import local_device

T4 = Facts(cuda=True, capability=(7, 5), gpu="Tesla T4")
A100 = Facts(cuda=True, capability=(8, 0), gpu="NVIDIA A100")
H100 = Facts(cuda=True, capability=(9, 0), gpu="NVIDIA H100")
APPLE = Facts(mps=True)
OLD_CPU = Facts()
NEW_CPU = Facts(cpu_bfloat16=True)


@pytest.mark.parametrize(
    ("machine", "device", "precision"),
    [
        (T4, "cuda", "float16"),
        (A100, "cuda", "bfloat16"),
        (H100, "cuda", "bfloat16"),
        (Facts(cuda=True, capability=(7, 5), mps=True, cpu_bfloat16=True), "cuda", "float16"),
        (APPLE, "mps", "float32"),
        (Facts(mps=True, cpu_bfloat16=True), "mps", "float32"),
        (OLD_CPU, "cpu", "float32"),
        (NEW_CPU, "cpu", "bfloat16"),
    ],
)
def test_the_best_device_in_the_precision_that_suits_it(machine, device, precision):
    assert choose_device(machine) == device
    assert choose_precision(machine, device) == precision


@pytest.mark.parametrize(
    ("machine", "wanted"),
    [(A100, "cuda"), (A100, "cpu"), (APPLE, "mps"), (APPLE, "cpu"), (OLD_CPU, "cpu")],
)
def test_a_device_that_is_there_can_be_had(machine, wanted):
    assert choose_device(machine, wanted) == wanted


@pytest.mark.parametrize(
    ("machine", "wanted", "there"),
    [
        (OLD_CPU, "cuda", "['cpu']"),
        (OLD_CPU, "mps", "['cpu']"),
        (APPLE, "cuda", "['mps', 'cpu']"),
        (A100, "mps", "['cuda', 'cpu']"),
        (A100, "tpu", "['cuda', 'cpu']"),
    ],
)
def test_a_device_that_is_not_there_is_an_error_with_those_that_are(machine, wanted, there):
    with pytest.raises(DeviceError) as caught:
        choose_device(machine, wanted)
    assert str(caught.value) == f"device {wanted!r}: this machine has {there}; choose one of them"


@pytest.mark.parametrize(
    ("capability", "kernels", "runs"),
    [
        ((7, 5), ("sm_75", "sm_80", "sm_90"), True),
        ((8, 6), ("sm_75", "sm_80", "sm_90"), True),  # as one of its generation, and a later one
        ((8, 0), ("sm_86",), False),  # of its generation, but too early
        ((6, 1), ("sm_75", "sm_80", "sm_90"), False),
        ((12, 0), ("sm_75", "sm_80", "sm_90"), False),
        ((12, 0), ("sm_90", "compute_90"), True),  # compiled for it when it is first used
        ((8, 6), ("sm_90", "compute_90"), False),
        ((12, 0), ("sm_100", "sm_120"), True),
        ((12, 0), ("sm_100",), False),
        ((9, 0), ("sm_90a",), True),
        ((10, 0), ("compute_90a",), False),
        ((10, 3), ("sm_100f",), True),
        ((9, 0), ("gfx90a", "gfx942"), True),  # AMD's
        ((7, 5), (), True),  # not said
    ],
)
def test_a_gpu_is_of_use_if_there_are_kernels_for_it(capability, kernels, runs):
    machine = Facts(cuda=True, capability=capability, gpu="a GPU", kernels=kernels)
    assert (without_kernels(machine) == "") is runs
    if runs:
        assert choose_device(machine) == "cuda"


PASCAL = Facts(cuda=True, capability=(6, 1), gpu="GTX 1080", kernels=("sm_75", "sm_80"))


def test_a_gpu_without_kernels_is_not_chosen_and_the_reason_is_said():
    reason = r"GTX 1080 has compute capability 6\.1, .* no kernels for it, only sm_75, sm_80;"
    with pytest.warns(UserWarning, match=rf"^computing on cpu: {reason}"):
        assert choose_device(PASCAL) == "cpu"
    assert choose_device(PASCAL, "cpu") == "cpu"  # without a word
    with pytest.raises(DeviceError, match=rf"this machine has \['cpu'\]; .* \({reason}"):
        choose_device(PASCAL, "cuda")


def test_a_processor_beside_a_gpu_is_asked_for_itself():
    both = Facts(cuda=True, capability=(9, 0), cpu_bfloat16=False)
    assert choose_precision(both, "cpu") == "float32"


@pytest.mark.parametrize("machine", [T4, A100, OLD_CPU, NEW_CPU])
@pytest.mark.parametrize("wanted", ["float32", "bfloat16", "float16"])
def test_any_precision_can_be_had_on_cuda_and_cpu(machine, wanted):
    assert choose_precision(machine, choose_device(machine), wanted) == wanted


@pytest.mark.parametrize("wanted", ["float32", "bfloat16"])
def test_apples_gpu_has_two(wanted):
    assert choose_precision(APPLE, "mps", wanted) == wanted


def test_float16_on_apples_gpu_lacks_a_scaler():
    with pytest.raises(DeviceError, match=r"'float16' on mps: .* choose 'float32' or 'bfloat16'"):
        choose_precision(APPLE, "mps", "float16")


def test_an_unknown_precision_is_an_error_with_those_that_are_known():
    with pytest.raises(DeviceError, match=r"'float8': choose one of .*'float32', 'bfloat16'"):
        choose_precision(A100, "cuda", "float8")


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"avx512_bf16": True, "amx_bf16": False}, True),
        ({"avx512_bf16": False, "amx_bf16": True}, True),
        ({"avx512_bf16": False, "amx_bf16": False, "avx2": True}, False),
        ({"architecture": "arm64"}, False),
        (None, False),  # older versions of PyTorch cannot be asked
    ],
)
def test_bfloat16_is_asked_of_the_processor_itself(monkeypatch, capabilities, expected):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    if capabilities is not None:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
    assert facts().cpu_bfloat16 is expected
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)
    assert not facts().cpu_bfloat16


def test_facts_of_a_gpu(monkeypatch):
    """Its capability is asked for, and not `is_bf16_supported`, which is true on a T4."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: (7, 5))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Tesla T4")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: ["sm_75", "sm_80"])
    machine = facts()
    assert machine.kernels == ("sm_75", "sm_80")
    assert (machine.cuda, machine.capability, machine.gpu) == (True, (7, 5), "Tesla T4")
    assert choose_precision(machine, choose_device(machine)) == "float16"


def test_facts_of_a_machine_without_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    machine = facts()
    assert (machine.cuda, machine.capability, machine.gpu) == (False, (0, 0), "")


@pytest.mark.parametrize(
    ("device", "environment", "expected"),
    [
        ("cuda", {}, "cuda:0"),  # with its number, which torch.cuda.set_device must have
        ("cuda", {"LOCAL_RANK": "3", "RANK": "11"}, "cuda:3"),
        ("cpu", {"LOCAL_RANK": "3"}, "cpu"),
        ("mps", {"LOCAL_RANK": "0"}, "mps"),
    ],
)
def test_of_a_machines_gpus_each_process_takes_one(device, environment, expected):
    assert local_device(device, environment) == expected


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_autocast_is_about_matrix_products_only(precision):
    layer, x = nn.Linear(3, 5), torch.randn(2, 3)
    with autocast("cpu", precision):
        y = layer(x)
        loss = nn.functional.cross_entropy(y, torch.tensor([0, 1]))
    assert y.dtype == getattr(torch, precision)
    assert loss.dtype == torch.float32
    assert layer(x).dtype == torch.float32  # afterwards


def fake_compiler(model):
    called.append(model)
    return nn.Sequential(model)


called = []


@pytest.fixture
def layer():
    called.clear()
    return nn.Linear(3, 5)


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_off_cuda_nothing_is_compiled(layer, device):
    model, message = compiled_if_useful(layer, device, torch.ones(2, 3), compiler=fake_compiler)
    assert model is layer
    assert called == []
    assert message == f"not compiled: on {device} it does not pay"


def test_on_cuda_the_model_is_compiled_and_tried(layer, monkeypatch):
    monkeypatch.setattr(devices, "autocast", lambda device, precision: tried(device, precision))
    seen = []

    def tried(device, precision):
        seen.append((device, precision))
        return torch.autocast("cpu", enabled=False)  # there is no GPU here

    model, message = compiled_if_useful(
        layer, "cuda", torch.ones(2, 3), "float16", compiler=fake_compiler
    )
    assert model is not layer
    assert list(model.parameters()) == list(layer.parameters())
    assert message == "compiled"
    assert seen == [("cuda", "float16")]  # as training will call it
    assert all(p.grad is None for p in layer.parameters())  # the trial leaves no trace


@pytest.mark.parametrize("error", [RuntimeError, ImportError, OSError])
@pytest.mark.parametrize("late", [False, True])
def test_a_compiler_that_fails_leaves_the_model_with_a_message(layer, error, late):
    def compiler(model):
        class Failing(nn.Module):
            def forward(self, x):
                model(x).sum().backward()  # a failure may come after half of the work
                raise error("no Triton here\nand much more")

        if late:
            return Failing()
        raise error("no Triton here\nand much more")

    model, message = compiled_if_useful(layer, "cuda", torch.ones(2, 3), compiler=compiler)
    assert model is layer
    assert message == "not compiled, which is slower: no Triton here"
    assert all(p.grad is None for p in layer.parameters())


def test_a_slip_in_the_model_is_not_taken_for_a_failing_compiler(layer):
    def compiler(model):
        raise TypeError("forward() takes 1 argument")

    with pytest.raises(TypeError):
        compiled_if_useful(layer, "cuda", torch.ones(2, 3), compiler=compiler)
