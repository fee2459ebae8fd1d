"""Workers: results in order; who dies, hangs or errs is named, and the rest goes on."""

import os
import signal
import time

import numpy as np
import pytest

from msalib.base.errors import UserError
from msalib.encoders import workers


def double(path: str, number: int = 0):
    """What a worker is asked to do, and to suffer."""
    if path == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if path == "hang":
        time.sleep(60)
    if path == "refuse":
        raise UserError(path, found="a", expected="b", remedy="c.")
    if path == "mistake":
        raise KeyError("a mistake in the code")
    os.write(1, b"decoders may print")
    return path, 2 * number, np.arange(number)


@pytest.mark.parametrize("number", [0, 2])
def test_results_come_in_order_and_refusals_among_them(number):
    tasks = [("refuse" if n == 3 else "a", n) for n in range(9)]
    found = list(workers.run(double, iter(tasks), number))
    assert str(found[3]) == "refuse: found a; expected b. c."
    for n, result in enumerate(found):
        if n != 3:
            assert result[:2] == ("a", 2 * n)
            assert result[2].tolist() == list(range(n))


def test_a_worker_that_dies_or_hangs_is_an_error_with_the_file_and_the_rest_goes_on(monkeypatch):
    monkeypatch.setattr(workers, "SECONDS", 1.5)
    tasks = [("crash",), ("a", 1), ("hang",), ("a", 2)]
    crash, one, hang, two = workers.run(double, tasks, 1)
    assert str(crash).startswith("crash: found a file on which decoding ends the process")
    assert str(hang).startswith("hang: found no end of decoding it within 1.5 seconds")
    assert (one[1], two[1]) == (2, 4)


def test_a_mistake_in_a_worker_is_no_refusal():
    with pytest.raises(RuntimeError, match="a mistake in the code"):
        list(workers.run(double, [("mistake",)], 1))


def test_no_more_than_asked_for_is_made_ahead():
    asked = []

    def tasks():
        for n in range(100):
            asked.append(n)
            yield "a", n

    results = workers.run(double, tasks(), 1, ahead=5)
    next(results)
    assert len(asked) == 5
    results.close()


def test_few_clips_start_no_process():
    assert workers.number(workers.FEWEST - 1) == 0
    assert workers.number(workers.FEWEST) >= 1
