import pytest
import torch

from proxy_training.device import DeviceError, usable_device


def test_a_device_is_tried_before_it_is_used() -> None:
    assert usable_device("cpu") == "cpu"
    assert usable_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(DeviceError, match="'cuda:99' cannot be used"):
        usable_device("cuda:99")
    with pytest.raises(DeviceError, match="'toaster' cannot be used"):
        usable_device("toaster")
