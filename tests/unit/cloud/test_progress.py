"""A progress bar is for a person who watches."""

from __future__ import annotations

import io

from cloud.commands.progress import ProgressBar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_one_line_that_grows_and_goes() -> None:
    terminal = Terminal()
    bar = ProgressBar(terminal, "sales")
    for done in (0, 500, 1000):
        bar.show(done, 1000)
    bar.close()
    drawn = terminal.getvalue().split("\r")
    assert drawn[2].strip() == "[" + "#" * 15 + "." * 15 + "] 500 of 1,000 sales"
    assert drawn[3].startswith("[" + "#" * 30 + "] 1,000 of 1,000")
    assert drawn[4].strip() == ""
    assert "\n" not in terminal.getvalue()


def test_a_pipe_sees_nothing() -> None:
    pipe = io.StringIO()
    bar = ProgressBar(pipe, "sales")
    bar.show(0, 0)
    bar.close()
    assert pipe.getvalue() == ""


def test_nothing_to_do_is_done() -> None:
    terminal = Terminal()
    ProgressBar(terminal, "sales").show(0, 0)
    assert "#" * 30 in terminal.getvalue()
