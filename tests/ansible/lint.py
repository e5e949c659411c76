"""ansible-lint over the whole of `ansible/`, at a third of its cost: `python lint.py`.

Runs in the environment of requirements-ansible.lock, in the folder that is linted.  The linter
starts Ansible anew for the syntax of each playbook and each role; here all go through one Ansible
first, and only when that one complains does the linter ask for each, so that it names the culprit.
What it finds out about a path or about a task is kept while it runs.  The rules are its own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from typing import Any

from ansiblelint import file_utils
from ansiblelint.__main__ import main
from ansiblelint.runner import Runner
from ansiblelint.utils import Task

Lintables = list[file_utils.Lintable]
Normal = dict[str, Any]
_check_each: Callable[[Runner, Any], Lintables] = Runner._run_syntax_check_phase
_normalize: Callable[[Task], Normal] = Task._normalize_task
_normalized: dict[int, tuple[Any, Normal]] = {}


def check_at_once(runner: Runner, matches: Any) -> Lintables:
    """The linter's phase: what it found goes into `matches`; answers the files that it saw."""
    files: Lintables = runner._collect_syntax_check_files()
    books = [str(file.path) for file in files if file.kind == "playbook"]
    roles = [file.path.absolute() for file in files if file.kind == "role"]
    lines = [f"    - ansible.builtin.import_role:\n        name: {role}\n" for role in roles]
    with tempfile.NamedTemporaryFile("w", prefix="roles", suffix=".yml") as book:
        book.write("---\n- name: All roles\n  hosts: localhost\n  tasks:\n" + "".join(lines))
        book.flush()
        done = subprocess.run(
            ["ansible-playbook", "--syntax-check", *books, book.name],
            env={**runner.app.runtime.environ, "PYTHONWARNINGS": "ignore"},
            capture_output=True,
            check=False,
        )
    if done.returncode != 0:
        return _check_each(runner, matches)
    # Else it asks once more for each that another one imports.
    runner.app.runtime._has_playbook_cache.update({(book, None): True for book in books})
    return files


def normalize_once(task: Task) -> Normal:
    """A task as the rules see it: each of 40 rules asks anew."""
    known = id(task.raw_task)
    if known not in _normalized:
        # Kept with its source, so that no other one ever has the same identity.
        _normalized[known] = (task.raw_task, _normalize(task))
    return dict(_normalized[known][1])


Runner._run_syntax_check_phase = check_at_once
Task._normalize_task = normalize_once
file_utils.kind_from_path = cache(file_utils.kind_from_path)

if __name__ == "__main__":
    sys.exit(main(["ansible-lint", "--offline", "--strict", "--nocolor", *sys.argv[1:]]))
