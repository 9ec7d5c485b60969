"""Promises of `smallhold.models.choice.choice`: this file holds tests of finding the right file."""

from __future__ import annotations

from collections.abc import Callable, Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.choice_cases import (
    ALL,
    BILLION,
    GB,
    catalog,
    for_other_runtime,
    machine,
    model,
    with_gpu,
)

from smallhold.exceptions import (
    BudgetTooSmallError,
    UnknownModelError,
    UnknownNeedError,
    UnknownVariantError,
)
from smallhold.models.catalog.catalog import (
    Catalog,
    CatalogEntry,
    CatalogModel,
    Category,
    ModelFormat,
    ModelPurpose,
    UseCase,
)
from smallhold.models.catalog.catalog_file import load_catalog
from smallhold.models.choice.choice import Choice, recommend, resolve
from smallhold.models.choice.need import Need, Preference
from smallhold.models.choice.reasons import ReasonKind
from smallhold.models.fit.fit import MemoryPlan
from smallhold.models.machine.hardware import Hardware

SMALL = model("small-0.5b", BILLION // 2, use_cases=[UseCase.LIGHTWEIGHT_ROUTING])
MIDDLE = model("middle-2b", 2 * BILLION)
LARGE = model("large-8b", 8 * BILLION, use_cases=[UseCase.COMPLEX_REASONING])
CATALOG = catalog(SMALL, MIDDLE, LARGE)


def here(*references: str) -> Callable[[CatalogEntry], bool]:
    return lambda entry: entry.reference in references


def chosen(
    need: str | Need,
    *,
    models: Catalog = CATALOG,
    hardware: Hardware | None = None,
    budget_bytes: int | None = None,
    installed: Collection[str] = (),
) -> Choice:
    return resolve(
        need,
        catalog=models,
        hardware=hardware or machine(),
        budget_bytes=budget_bytes,
        is_installed=here(*installed),
    )


def kinds(choice: Choice) -> set[ReasonKind]:
    return {reason.kind for reason in choice.reasons}


def test_a_machine_of_4_gb_gets_four_bits() -> None:
    choice = chosen("middle-2b", hardware=machine(memory_bytes=4 * GB, cores=4))
    assert choice.entry.reference == "middle-2b:q4_k_m"
    assert {ReasonKind.FITS_MEMORY, ReasonKind.PREFERRED_ON_CPU} <= kinds(choice)


def test_a_gpu_with_room_gets_a_larger_quantization() -> None:
    choice = chosen("middle-2b", hardware=with_gpu(machine(), free_bytes=8 * GB))
    assert choice.entry.reference == "middle-2b:q8_0"
    assert choice.on_gpu
    assert {ReasonKind.FITS_GPU, ReasonKind.PREFERRED_ON_GPU} <= kinds(choice)


def test_a_gpu_without_a_file_of_eight_bits_gets_sixteen() -> None:
    models = catalog(model("two-files", BILLION, variants=("Q4_K_M", "F16")))
    choice = chosen("two-files", models=models, hardware=with_gpu(machine(), free_bytes=8 * GB))
    assert choice.entry.quantization == "F16"


def test_a_small_gpu_gets_what_fits_it() -> None:
    choice = chosen("middle-2b", hardware=with_gpu(machine(), free_bytes=3 * GB))
    assert choice.entry.reference == "middle-2b:q4_k_m"
    assert choice.on_gpu


def test_a_file_that_is_named_is_the_choice_though_another_suits_better() -> None:
    choice = chosen("middle-2b:f16")
    assert choice.entry.reference == "middle-2b:f16"
    assert ReasonKind.FILE_NAMED in kinds(choice)
    assert choice.passed_over == ()


def test_a_file_that_is_here_is_taken_before_one_that_would_suit_better() -> None:
    choice = chosen("middle-2b", installed=["middle-2b:q8_0"])
    assert choice.entry.reference == "middle-2b:q8_0"
    assert choice.is_installed
    assert ReasonKind.ALREADY_INSTALLED in kinds(choice)
    reasons = {other.entry.quantization: other.reason.kind for other in choice.passed_over}
    assert reasons["Q4_K_M"] is ReasonKind.NOT_INSTALLED


def test_a_file_that_is_here_but_does_not_fit_is_not_taken() -> None:
    choice = chosen("middle-2b", budget_bytes=4 * GB, installed=["middle-2b:f16"])
    assert choice.entry.reference == "middle-2b:q4_k_m"
    reasons = {other.entry.quantization: other.reason for other in choice.passed_over}
    assert reasons["F16"].kind is ReasonKind.NEEDS_MORE_MEMORY
    assert (reasons["F16"].needed_bytes or 0) > (reasons["F16"].limit_bytes or 0) == 4 * GB


def test_little_memory_gets_a_shorter_context_before_fewer_bits() -> None:
    usual = chosen("middle-2b")
    choice = chosen("middle-2b", budget_bytes=usual.estimate.total_bytes - GB)
    assert choice.entry.quantization == "Q4_K_M"
    assert choice.plan.context_tokens < usual.plan.context_tokens == 8192
    assert ReasonKind.CONTEXT_SHORTENED in kinds(choice)
    assert ReasonKind.CONTEXT_SHORTENED not in kinds(usual)


def test_a_context_that_was_asked_for_is_never_shortened() -> None:
    need = Need(alias="middle-2b", context_tokens=8192)
    usual = chosen(need)
    choice = chosen(need, budget_bytes=usual.estimate.total_bytes - 700_000_000)
    assert choice.plan.context_tokens == 8192
    assert choice.entry.quantization == "Q2_K"


def test_a_model_is_never_given_more_context_than_it_was_trained_for() -> None:
    short = catalog(model("short", BILLION, context_tokens=2048))
    choice = chosen("short", models=short)
    assert choice.plan.context_tokens == 2048
    assert ReasonKind.CONTEXT_SHORTENED not in kinds(choice)


def test_the_least_memory_gets_few_bits_and_is_told_what_they_cost() -> None:
    needed_bytes = chosen(Need(alias="middle-2b", context_tokens=2048)).estimate.resident_bytes
    choice = chosen("middle-2b", budget_bytes=needed_bytes)
    assert choice.entry.quantization == "Q2_K"
    assert ReasonKind.LOSSY_QUANTIZATION in kinds(choice)


def test_the_best_that_fits_is_the_largest_that_does() -> None:
    assert chosen("the best that fits 4 GB").entry.reference == "middle-2b:q4_k_m"
    choice = chosen("the best that fits 12 GB")
    assert choice.entry.alias == "large-8b"
    assert ReasonKind.MOST_PARAMETERS in kinds(choice)


def test_a_smaller_model_with_four_bits_beats_a_larger_one_with_two() -> None:
    alone = catalog(LARGE)
    budget_bytes = chosen("large-8b:q2_k", models=alone).estimate.total_bytes
    assert chosen("best", budget_bytes=budget_bytes).entry.reference == "middle-2b:q4_k_m"


def test_a_model_that_reads_too_slowly_comes_last() -> None:
    choice = chosen("best", hardware=machine(cores=2))
    assert choice.entry.alias == "middle-2b"
    reasons = {other.entry.reference: other.reason for other in choice.passed_over}
    assert reasons["large-8b:q4_k_m"].kind is ReasonKind.SLOW_HERE
    assert 10 < (reasons["large-8b:q4_k_m"].tokens_per_s or 0) < 30


def test_a_use_gets_only_models_for_it() -> None:
    choice = chosen("routing")
    assert choice.entry.alias == "small-0.5b"
    assert ReasonKind.USE_CASE in kinds(choice)


def test_the_fastest_is_the_smallest() -> None:
    assert chosen("fast").entry.alias == "small-0.5b"
    assert chosen(Need(preference=Preference.FASTEST)).entry.alias == "small-0.5b"


def test_a_category_gets_only_models_of_it() -> None:
    assert chosen(Need(category=Category.ULTRA_LIGHT)).entry.alias == "small-0.5b"


@pytest.mark.parametrize(("count", "alias"), [(2_400_000_000, "middle-2b"), (3 * BILLION, "new")])
def test_what_is_here_beats_what_is_only_a_little_larger(count: int, alias: str) -> None:
    models = catalog(MIDDLE, model("new", count))
    choice = chosen("best", models=models, installed=["middle-2b:q4_k_m"])
    assert choice.entry.alias == alias


def test_a_licence_for_study_comes_after_all_others() -> None:
    models = catalog(model("study", 4 * BILLION, licence="LicenseRef-Some-Research"), MIDDLE)
    assert chosen("best", models=models).entry.alias == "middle-2b"
    named = chosen("study", models=models)
    assert ReasonKind.NON_COMMERCIAL in kinds(named)


def test_a_long_context_needs_a_model_that_was_trained_for_it_and_more_memory() -> None:
    models = catalog(MIDDLE, model("short", 4 * BILLION, context_tokens=4096))
    choice = chosen("16k tokens", models=models)
    assert choice.entry.alias == "middle-2b"
    assert choice.plan.context_tokens == 16_384
    plain = chosen("middle-2b:q4_k_m", models=models)
    assert choice.estimate.kv_bytes > plain.estimate.kv_bytes


def test_a_context_that_no_model_has_names_the_longest_there_is() -> None:
    with pytest.raises(UnknownNeedError, match=r"longest context of such models is 32,768 tokens"):
        chosen("100k tokens")


def test_files_for_other_runtimes_are_not_chosen() -> None:
    onnx = for_other_runtime(model("foundry", 4 * BILLION), ModelFormat.ONNX)
    embedder = for_other_runtime(
        model("embedder", BILLION), ModelFormat.SAFETENSORS, purpose=ModelPurpose.SENTENCES
    )
    assert chosen("best", models=catalog(onnx, embedder, MIDDLE)).entry.alias == "middle-2b"


def test_a_budget_below_the_smallest_file_says_what_is_needed_and_what_would_fit() -> None:
    with pytest.raises(BudgetTooSmallError) as caught:
        chosen("large-8b", budget_bytes=2 * GB)
    error = caught.value
    assert error.smallest == "large-8b:q2_k"
    assert error.needed_bytes > error.budget_bytes == 2 * GB
    assert error.fitting[0].startswith("middle-2b:q4_k_m (")
    assert "2,000 MB may be used" in str(error)


def test_a_file_that_does_not_fit_is_answered_with_the_model_s_other_files() -> None:
    with pytest.raises(BudgetTooSmallError) as caught:
        chosen("middle-2b:f16", budget_bytes=2 * GB)
    assert [text.split()[0] for text in caught.value.fitting] == [
        "middle-2b:q4_k_m",
        "middle-2b:q2_k",
    ]


def test_a_budget_in_words_and_one_in_bytes_both_hold() -> None:
    assert chosen("best in 12 GB", budget_bytes=4 * GB).entry.alias == "middle-2b"
    assert chosen("best in 4 GB", budget_bytes=12 * GB).entry.alias == "middle-2b"


def test_a_machine_whose_memory_is_taken_gets_a_warning() -> None:
    busy = machine(memory_bytes=16 * GB)
    free = chosen("middle-2b", hardware=busy)
    assert ReasonKind.MEMORY_TAKEN_NOW not in kinds(free)
    later = chosen("middle-2b", hardware=machine(memory_bytes=GB), budget_bytes=8 * GB)
    assert ReasonKind.MEMORY_TAKEN_NOW in kinds(later)


def test_an_unknown_alias_gets_the_nearest_ones_or_the_nearest_word() -> None:
    with pytest.raises(UnknownModelError, match="Did you mean middle-2b"):
        chosen("midle-2b")
    with pytest.raises(UnknownNeedError, match="Did you mean routing"):
        chosen("rooting")
    with pytest.raises(UnknownVariantError, match="middle-2b:q4_k_m"):
        chosen("middle-2b:q6_k")


def test_a_second_name_stands_for_its_model_and_its_file() -> None:
    models = catalog(MIDDLE, redirects={"default": "middle-2b", "exact": "middle-2b:f16"})
    assert chosen("default", models=models).entry.reference == "middle-2b:q4_k_m"
    assert chosen("exact", models=models).entry.reference == "middle-2b:f16"


def test_a_need_that_no_model_is_for_is_an_error() -> None:
    with pytest.raises(UnknownNeedError, match="the catalog has none"):
        chosen("code")


def test_recommendations_name_each_model_once_the_best_first() -> None:
    ranked = recommend(catalog=CATALOG, hardware=machine(), is_installed=here())
    assert [choice.entry.alias for choice in ranked] == ["large-8b", "middle-2b", "small-0.5b"]
    first, *rest = ranked
    assert ReasonKind.MOST_PARAMETERS in kinds(first)
    assert not any(ReasonKind.MOST_PARAMETERS in kinds(choice) for choice in rest)


def test_recommendations_for_a_model_name_each_of_its_files() -> None:
    ranked = recommend("middle-2b", catalog=CATALOG, hardware=machine(), is_installed=here())
    assert [choice.entry.quantization for choice in ranked] == ["Q4_K_M", "Q8_0", "F16", "Q2_K"]


def test_a_plan_decides_what_is_counted() -> None:
    plan = MemoryPlan(context_tokens=1024, cache_bytes=0)
    choice = resolve(
        "middle-2b", catalog=CATALOG, hardware=machine(), is_installed=here(), plan=plan
    )
    assert choice.plan.context_tokens == 1024
    assert choice.estimate.cache_bytes == 0


@pytest.mark.parametrize(
    ("alias", "quantization"), [("llama3.2-3b", "Q4_K_M"), ("qwen2.5-coder-1.5b", "Q4_K_M")]
)
def test_a_machine_of_4_gb_gets_four_bits_of_real_models(alias: str, quantization: str) -> None:
    choice = chosen(alias, models=load_catalog(), budget_bytes=4 * GB)
    assert choice.entry.quantization == quantization


def test_the_packaged_catalog_has_something_for_every_use_on_4_gb() -> None:
    packaged = load_catalog()
    for use_case in UseCase:
        choice = chosen(
            Need(use_case=use_case, memory_bytes=4 * GB), models=packaged, hardware=machine(cores=4)
        )
        assert choice.estimate.total_bytes <= 4 * GB
        assert not choice.estimate.is_conservative


MODELS = st.lists(
    st.builds(
        model,
        st.sampled_from([f"m{n}" for n in range(6)]),
        st.integers(10**8, 9 * BILLION),
        variants=st.lists(
            st.sampled_from([*ALL, "Q5_K_M", "Q4_0"]), min_size=1, max_size=4, unique=True
        ),
        use_cases=st.lists(st.sampled_from(UseCase), max_size=2),
        licence=st.sampled_from(["MIT", "LicenseRef-Some-Research"]),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda one: one.alias,
)
NEEDS = st.builds(
    Need,
    use_case=st.none() | st.sampled_from(UseCase),
    preference=st.sampled_from(Preference),
) | st.sampled_from([Need(alias=f"m{n}") for n in range(6)])


def found(
    need: Need, models: list[CatalogModel], *, budget_bytes: int, hardware: Hardware, installed: int
) -> Choice | None:
    """What is chosen when every file counts as installed whose bit in a number is set."""
    entries = [entry.reference for one in models for entry in one.entries]
    present = {name for place, name in enumerate(entries) if installed >> place & 1}
    try:
        return chosen(
            need,
            models=catalog(*models),
            hardware=hardware,
            budget_bytes=budget_bytes,
            installed=present,
        )
    except (BudgetTooSmallError, UnknownNeedError, UnknownModelError):
        return None


@given(MODELS, NEEDS, st.integers(0, 40 * GB), st.integers(1, 16), st.integers(0, 2**20))
def test_nothing_is_ever_chosen_that_does_not_fit(
    models: list[CatalogModel], need: Need, budget_bytes: int, cores: int, installed: int
) -> None:
    choice = found(
        need, models, budget_bytes=budget_bytes, hardware=machine(cores=cores), installed=installed
    )
    if choice is not None:
        assert choice.estimate.total_bytes <= budget_bytes
        assert choice.reasons
        passed_over = {other.entry.reference for other in choice.passed_over}
        assert choice.entry.reference not in passed_over


@given(
    MODELS,
    NEEDS,
    st.tuples(st.integers(0, 40 * GB), st.integers(0, 40 * GB)).map(sorted),
    st.integers(0, 2**20),
)
def test_more_memory_never_gives_a_smaller_choice(
    models: list[CatalogModel], need: Need, budgets: list[int], installed: int
) -> None:
    small, large = (
        found(need, models, budget_bytes=size, hardware=machine(), installed=installed)
        for size in budgets
    )
    if small is None:
        return
    assert large is not None
    if small.entry.reference != large.entry.reference:
        # The cache grows with the budget, so what grows with the choice is the rest.
        assert large.estimate.resident_bytes > small.estimate.resident_bytes


@given(MODELS, st.tuples(st.integers(0, 30 * GB), st.integers(0, 30 * GB)).map(sorted))
def test_a_larger_gpu_never_gets_fewer_bits_of_a_model(
    models: list[CatalogModel], sizes: list[int]
) -> None:
    choices = [
        found(
            Need(alias=models[0].alias),
            models,
            budget_bytes=40 * GB,
            hardware=with_gpu(machine(), free_bytes=size),
            installed=0,
        )
        for size in sizes
    ]
    one, other = choices
    assert one is not None
    assert other is not None
    assert one.on_gpu <= other.on_gpu
    assert one.estimate.device_bytes <= other.estimate.device_bytes


@given(MODELS, NEEDS, st.integers(0, 40 * GB))
def test_the_same_question_has_the_same_answer(
    models: list[CatalogModel], need: Need, budget_bytes: int
) -> None:
    one, other = (
        found(need, models, budget_bytes=budget_bytes, hardware=machine(), installed=5)
        for _ in range(2)
    )
    assert one == other
