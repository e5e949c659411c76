"""The lab itself, without its kernel: its recipe, its wrapper, and what it tells a person."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hardware import kernel
from tests.hardware.__main__ import close, line_of, results_of
from tests.hardware.gadgets import GROUP_SEPARATOR, _key
from tests.hardware.machine import INIT, Ending, Machine, arguments, run
from tests.lab.console import SetupError
from tests.lab.processes import ChildProcess

CONFIG = "# CONFIG_NET is not set\nCONFIG_USB=y\nCONFIG_USB_PRINTER=y\n"
Make = Callable[[str], Machine]


@pytest.fixture
def machine(tmp_path: Path) -> Make:
    """A shell script in the kernel's place."""

    def make(script: str) -> Machine:
        path = tmp_path / "linux"
        path.write_text(f"#!/bin/sh\nout={tmp_path / 'out'}\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
        return Machine("scanners", path, ("checks",), tmp_path / "out", limit_s=5)

    return make


def test_another_recipe_is_another_kernel() -> None:
    fragment = kernel.FRAGMENT.read_bytes()
    assert kernel.recipe_hash(fragment) == kernel.recipe_hash(fragment)
    assert kernel.recipe_hash(fragment) != kernel.recipe_hash(fragment + b"CONFIG_INET=y\n")


def test_the_kernel_lies_in_the_users_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    name = kernel.recipe_hash(kernel.FRAGMENT.read_bytes())
    assert kernel.cache_folder() == Path("/somewhere/tillbox") / f"uml-{name}"


def test_a_symbol_that_the_kernel_does_not_take_is_named() -> None:
    fragment = "# why\nCONFIG_USB=y\n\nCONFIG_NET=y\n"
    assert kernel.refused(fragment, CONFIG) == ["CONFIG_NET=y"]


def test_the_recipe_asks_for_nothing_twice() -> None:
    lines = kernel.wanted(kernel.FRAGMENT.read_text(encoding="ascii"))
    assert len(lines) == len(set(lines))
    assert all(line.startswith("CONFIG_") and line.endswith("=y") for line in lines)


def test_another_processor_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel.platform, "machine", lambda: "aarch64")
    with pytest.raises(SetupError, match="aarch64"):
        kernel.kernel()


def test_the_marker_ends_a_machine_that_would_never_end(machine: Make) -> None:
    ending = run(machine('echo $$ > "$out/pid"; echo LAB-END 0; sleep 600'))
    assert (ending.exit_code, ending.attempts) == (0, 1)
    assert ending.took_s < 5


def test_failed_checks_are_not_run_again(machine: Make) -> None:
    ending = run(machine("echo LAB-END 1; sleep 600"))
    assert (ending.exit_code, ending.attempts) == (1, 1)


def test_a_machine_that_died_is_started_once_more_and_its_console_is_kept(machine: Make) -> None:
    made = machine('[ -e "$out.died" ] && echo LAB-END 0 || echo "Kernel panic - oh"; sleep 600')
    ending = run(made)
    assert (ending.exit_code, ending.attempts) == (0, 2)
    died = made.out.with_name("out.died") / "console.log"
    assert "Kernel panic" in died.read_text(encoding="utf-8")


def test_a_machine_that_dies_twice_is_given_up(machine: Make) -> None:
    ending = run(machine("echo too bad"))
    assert (ending.exit_code, ending.attempts) == (None, 2)


def test_a_machine_that_hangs_is_killed(machine: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = machine("sleep 600")
    killed: list[ChildProcess] = []
    kill = ChildProcess.kill
    monkeypatch.setattr(ChildProcess, "kill", lambda each: (killed.append(each), kill(each)))
    quick = Machine(made.name, made.kernel, made.checks, made.out, limit_s=0.2)
    assert run(quick).exit_code is None
    assert [each.is_alive for each in killed] == [False, False]


def test_init_is_told_where_everything_is(machine: Make) -> None:
    made = machine("")
    words = arguments(made, made.out / "control")
    assert f'init="{INIT}"' in words
    assert f'LAB_OUT="{made.out}"' in words
    assert 'LAB_CHECKS="checks"' in words


def test_results_are_read_while_they_are_being_written(machine: Make) -> None:
    made = machine("")
    made.out.mkdir()
    line = json.dumps(result("passed"))
    (made.out / "results.jsonl").write_text(f"{line}\n{line[:20]}", encoding="utf-8")
    assert results_of(made) == [result("passed")]


def result(outcome: str, **changes: object) -> dict[str, object]:
    plain = {"outcome": outcome, "took_s": 1.5, "measured": {}, "problem": ""}
    return {"check": "test_x.py::test_it_works[usb]", **plain, **changes}


def test_a_check_is_a_sentence_with_what_it_measured() -> None:
    assert line_of("printers", result("passed")) == "  ok   printers: it works[usb] (1.5 s)"
    told = line_of("printers", result("failed", measured={"s": 2}, problem="a\nb"))
    assert told.splitlines() == [
        "  FAIL printers: it works[usb] (1.5 s)",
        "           s: 2",
        "    | a",
        "    | b",
    ]


@pytest.mark.parametrize(
    "case",
    [
        (["passed", "passed"], 0, 0, "passed: 2 of 2 checks"),
        (["passed", "failed"], 1, 1, "NOT passed: 1 of 2 checks"),
        (["passed", "skipped"], 0, 1, "NOT passed: 1 of 2 checks"),
        (["passed"], None, 1, "NOT passed: 1 of 1 checks"),
        ([], 0, 1, "NOT passed: 0 of 0 checks"),
    ],
)
def test_only_checks_that_all_ran_and_passed_are_good(
    case: tuple[list[str], int | None, int, str], machine: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes, exit_code, wanted, line = case
    made = machine("")
    made.out.mkdir()
    lines = "".join(json.dumps(result(outcome)) + "\n" for outcome in outcomes)
    (made.out / "results.jsonl").write_text(lines, encoding="utf-8")
    assert close([made], [Ending(exit_code, 1, 1.0, "the console")], 9.6) == wanted
    assert capsys.readouterr().out.splitlines()[-1] == f"Device lab {line}, 10 s."


def test_what_stands_on_a_label_has_a_key() -> None:
    assert _key("a") == (0, 4)
    assert _key("A") == (2, 4)
    assert _key("0") == (0, 0x27)
    assert _key("?") == (2, 0x38)
    assert _key(GROUP_SEPARATOR) == (1, 0x30)
