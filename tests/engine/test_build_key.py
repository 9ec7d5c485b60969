"""Tests of the build's key: this file holds promises about what decides the compiled bytes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.engine.build import PIN_FILE
from smallhold.engine.build_key import (
    FORCED_HEADER,
    BuildKey,
    SourcePin,
    cmake_args,
    compiler_choice,
    cpu_features,
    cxx_flags,
    find_compiler,
    parse_pin,
    read_key,
)
from smallhold.exceptions import CompilerMissingError, ConfigError

PIN = SourcePin(name="engine", version="1.2", sha256="ab" * 32)
KEY = BuildKey(
    version="1.2",
    source_sha256="ab" * 32,
    python_tag="cpython-311",
    platform="linux-x86_64 glibc 2.36",
    cpu_sha256="cd" * 32,
    compiler="c++: 12.2.0",
    cmake_args="-DLLAVA_BUILD=OFF",
    header_sha256="0" * 64,
    compiler_flags="",
)


def make_program(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text("#!/bin/sh\necho 'compiler 12.2'\necho 'second line'\n")
    program.chmod(0o755)
    return program


def test_the_packaged_pin_names_one_version_and_one_hash() -> None:
    pin = parse_pin(PIN_FILE.read_text("utf-8"))
    assert pin.name == "llama-cpp-python"
    assert len(pin.sha256) == 64


@pytest.mark.parametrize(
    "text",
    [
        "",
        "engine==1.2",
        f"engine>=1.2 --hash=sha256:{'ab' * 32}",
        f"engine==1.2 --hash=sha256:{'AB' * 32}",
        f"engine==1.2 --hash=sha256:{'ab' * 32}\nother==1 --hash=sha256:{'ab' * 32}\n",
        f"engine==1.2 --hash=sha256:{'ab' * 32} --hash=sha256:{'cd' * 32}",
    ],
)
def test_a_pin_without_exactly_one_version_and_hash_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_pin(text)


@given(
    name=st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True),
    digest=st.binary(min_size=32, max_size=32),
)
def test_a_pin_is_read_back_as_it_was_written(name: str, digest: bytes) -> None:
    text = f"{name}==0.3.36 \\\n    --hash=sha256:{digest.hex()}\n"
    assert parse_pin(text) == SourcePin(name=name, version="0.3.36", sha256=digest.hex())


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(BuildKey)])
def test_a_change_of_any_field_asks_for_another_wheel(field: str) -> None:
    other = dataclasses.replace(KEY, **{field: "other"})
    assert other.folder_name != KEY.folder_name


def test_the_wheels_folder_name_is_the_same_in_every_process() -> None:
    assert KEY.folder_name == "1.2-da48ebece5ac68e1"


def test_cpu_flags_do_not_depend_on_their_order_or_on_other_lines() -> None:
    one = "processor\t: 0\nmodel name\t: A\ncpu MHz\t: 2000\nflags\t\t: avx2 sse fma\n"
    two = "processor\t: 7\nmodel name\t: A\ncpu MHz\t: 3000\nflags\t\t: sse fma avx2\n"
    assert cpu_features(one) == cpu_features(two) == "avx2 fma sse"


def test_arm_features_are_read_too() -> None:
    assert cpu_features("Features\t: fp asimd\n") == "asimd fp"


@given(st.text())
def test_any_text_in_place_of_cpuinfo_gives_sorted_flags(text: str) -> None:
    flags = cpu_features(text).split()
    assert flags == sorted(set(flags))


def test_the_users_cmake_options_come_last_and_so_win() -> None:
    assert cmake_args({"CMAKE_ARGS": "-DGGML_NATIVE=OFF"}).endswith("-DGGML_NATIVE=OFF")
    assert "-DLLAVA_BUILD=OFF" in cmake_args({})


def test_the_first_known_compiler_on_the_path_is_taken(tmp_path: Path) -> None:
    make_program(tmp_path, "clang++")
    expected = make_program(tmp_path, "g++")
    assert find_compiler({"PATH": str(tmp_path)}) == expected


def test_cxx_names_the_compiler_even_with_options_behind_it(tmp_path: Path) -> None:
    make_program(tmp_path, "c++")
    expected = make_program(tmp_path, "my-c++")
    assert find_compiler({"PATH": str(tmp_path), "CXX": "my-c++ -m64"}) == expected


def test_a_cxx_that_does_not_exist_is_not_replaced_by_another_compiler(tmp_path: Path) -> None:
    make_program(tmp_path, "c++")
    with pytest.raises(CompilerMissingError) as caught:
        find_compiler({"PATH": str(tmp_path), "CXX": "nowhere-c++"})
    assert caught.value.looked_for == ("nowhere-c++",)


def test_an_empty_path_has_no_compiler(tmp_path: Path) -> None:
    with pytest.raises(CompilerMissingError):
        find_compiler({"PATH": str(tmp_path)})


def test_the_key_names_the_compilers_version(tmp_path: Path) -> None:
    make_program(tmp_path, "c++")
    key = read_key(PIN, environ={"PATH": str(tmp_path)})
    assert key.compiler == "c++: compiler 12.2"


def test_a_machine_without_compiler_still_has_a_key(tmp_path: Path) -> None:
    assert not read_key(PIN, environ={"PATH": str(tmp_path)}).compiler


@pytest.mark.parametrize(
    ("cxx", "cc"),
    [("c++", "cc"), ("g++-12", "gcc-12"), ("clang++", "clang"), ("arm-linux-g++", "arm-linux-gcc")],
)
def test_the_c_compiler_is_the_one_beside_the_cxx_compiler(
    tmp_path: Path, cxx: str, cc: str
) -> None:
    programs = {name: make_program(tmp_path, name) for name in (cxx, cc)}
    choice = compiler_choice({"PATH": str(tmp_path), "CXX": str(programs[cxx])})
    assert choice == {"CXX": str(programs[cxx]), "CC": str(programs[cc])}


def test_a_c_compiler_that_the_user_names_is_kept(tmp_path: Path) -> None:
    for name in ("g++", "gcc"):
        make_program(tmp_path, name)
    choice = compiler_choice({"PATH": str(tmp_path), "CC": "mine"})
    assert choice == {"CXX": str(tmp_path / "g++")}


def test_a_cxx_compiler_without_a_c_compiler_beside_it_leaves_the_choice_open(
    tmp_path: Path,
) -> None:
    make_program(tmp_path, "c++")
    assert compiler_choice({"PATH": str(tmp_path)}) == {"CXX": str(tmp_path / "c++")}


def test_every_source_is_compiled_with_the_header_that_mends_the_tile_configuration() -> None:
    flags = cxx_flags({"CXXFLAGS": "-O2"})
    assert flags.startswith("-O2 ")
    assert "_tile_loadconfig" in FORCED_HEADER.read_text("utf-8")
    assert str(FORCED_HEADER) in flags
