"""Random words, exact functions, quantising."""

import math
import statistics

import numpy as np
import pytest

from livemarket.core import exact, keyed, quantise
from livemarket.core.keyed import Purpose

# The known answers that the authors of Philox publish with it (Random123, kat_vectors, philox4x32 10).
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_philox_gives_the_published_answers(counter, key, answer):
    made = keyed.philox(tuple(np.array([c], dtype=np.uint64) for c in counter), key)
    assert tuple(int(word[0]) for word in made) == answer


def test_a_word_is_a_function_of_its_name():
    alone = keyed.words(7, np.array([12345]), 3, Purpose.ORDER, 24)
    among = keyed.words(7, np.arange(12340, 12350), 3, Purpose.ORDER, 24)
    assert (alone[0] == among[5]).all()
    for other in (
        keyed.words(8, np.array([12345]), 3, Purpose.ORDER, 24),
        keyed.words(7, np.array([12345]), 4, Purpose.ORDER, 24),
    ):
        assert (alone != other).any()
    assert (alone[:, :8] != keyed.words(7, np.array([12345]), 3, Purpose.SLOT, 8)).all()


def test_words_are_uniform():
    u = keyed.uniforms(1, np.arange(50_000), 0, Purpose.ORDER, 4).ravel()
    counts = np.histogram(u, bins=64, range=(0, 1))[0]
    assert ((counts - len(u) / 64) ** 2 / (len(u) / 64)).sum() < 120  # chi square, 63 degrees: p is about 1e-5
    assert 0 < u.min() < u.max() < 1


def test_exp_and_log_agree_with_the_library():
    x = np.linspace(-40, 40, 20_001)
    assert np.max(np.abs(exact.exp(x) / np.exp(x) - 1)) < 1e-15
    assert np.max(np.abs(exact.log(np.exp(x)) - x)) < 1e-14
    assert exact.log(np.array([1.0]))[0] == 0.0


def test_the_normal_quantile_is_the_librarys():
    u = np.array([2.0**-33, 1e-6, 0.01, 0.074, 0.3, 0.5, 0.93, 0.9999])
    expected = [statistics.NormalDist().inv_cdf(float(p)) for p in u]
    assert np.max(np.abs(exact.normal(u) - expected)) < 1e-12


@pytest.mark.parametrize("mean", [0.0, 0.02, 0.7, 5.0, 15.9, 16.1, 40.0, 300.0])
def test_poisson_has_its_mean_and_variance(mean):
    u = (np.arange(40_000) + 0.5) / 40_000
    drawn = exact.poisson(np.full(len(u), mean), u)
    assert (np.diff(drawn) >= 0).all()  # a quantile: more luck is never fewer
    assert abs(drawn.mean() - mean) < 0.01 + 0.001 * mean
    assert abs(drawn.var() - mean) < 0.03 + 0.02 * mean


def test_poisson_is_the_quantile_by_definition():
    mean, total, wanted = 3.2, 0.0, []
    u = np.array([0.01, 0.2, 0.5, 0.8, 0.999])
    for p in u:
        total, k = math.exp(-mean), 0
        while total < p:
            k += 1
            total += math.exp(-mean) * mean**k / math.factorial(k)
        wanted.append(k)
    assert exact.poisson(np.full(5, mean), u).tolist() == wanted


def test_fees_are_integer_arithmetic():
    assert quantise.share(np.array([1000, 999, 1]), 29_000).tolist() == [29, 29, 0]
    assert quantise.minor(np.array([1.5, 2.4999, -0.5])).tolist() == [2, 2, 0]
