"""The snippets of the documents run, and say what they promise."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from drill import ROOT, World

import saldo

PAGE = ROOT / "docs/python.md"


def snippet(page: Path) -> str:
    [code] = re.findall(r"```python\n(.*?)```", page.read_text(), re.S)
    assert isinstance(code, str)
    return code


def pages() -> list[Path]:
    return [page for page in (PAGE, ROOT / "README.md") if "```python" in page.read_text()]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_the_ten_lines_show_a_proven_amount_and_a_reason(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = snippet(page)
    assert len([line for line in code.splitlines() if line.strip()]) <= 12
    tree = ast.parse(code)
    # The last line asks mainnet. The same function is run against the drill.
    last = tree.body.pop()
    assert "mainnet" in ast.unparse(last)
    names: dict[str, Any] = {}
    exec(compile(tree, str(page), "exec"), names)
    monkeypatch.chdir(tmp_path)
    with World("all_unreachable") as world:
        show = names["show"]
        names["asyncio"].run(show(world.config, world.owner))
        world.happen("1h")
        names["asyncio"].run(show(world.config, world.owner))
    first, second = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"1\.5, proven at block \d+", first)
    assert re.fullmatch(r"not known: [^;]+; before: 1\.5", second)


def test_the_page_names_what_exists() -> None:
    text = PAGE.read_text()
    for name in re.findall(r"`([A-Z][A-Za-z]+)(?:\(|`|\.)", text):
        builtin = name in {"KeyboardInterrupt", "SystemExit", "TypeError", "ValueError"}
        assert builtin or name == "CancelledError" or hasattr(saldo, name), name
    for name in re.findall(r"`client\.([a-z_]+)\(", text):
        assert hasattr(saldo.Client, name), name


def test_every_public_name_is_documented_in_its_place() -> None:
    for name in saldo.__all__:
        if not name.startswith("__") and isinstance(getattr(saldo, name), type):
            assert getattr(saldo, name).__doc__, name
