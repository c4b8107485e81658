"""The module as a package of npm: its types, what is in it, and that it runs where it has been installed."""

import gzip
import json
import os
import re
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.payloads.test_node_interop import INTEROP, NODE_FOLDERS, node  # noqa: F401  (a fixture)
from tests.portal.gatehouse_js.node import HERE, MODULE

COMPILER = INTEROP / "node_modules" / "typescript" / "bin" / "tsc"
NAME = "gatehouse-client"
STRICT = {
    "strict": True,
    "noEmit": True,
    "skipDefaultLibCheck": True,  # the compiler's own declarations of the DOM are not what is tested here
    "target": "es2022",
    "lib": ["es2022", "dom", "dom.iterable", "dom.asynciterable"],
}
# Names that are nowhere, exported by nobody or misspelt; wrong numbers of arguments; what is never used. The code has no
# annotations, so the compiler knows too little for the rest.
FAULT = re.compile(r"error TS(2304|2305|2307|2551|2552|2554|2555|6133|6192|6196|1\d{3}):")
GZIPPED_BYTES = 30 * 1024  # all files of the module, unminified, one by one


@pytest.fixture(scope="module")
def installed(node: str, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """A folder of somebody's project, in which the packed module is installed."""
    project = tmp_path_factory.mktemp("project")
    environment = {**os.environ, "PATH": NODE_FOLDERS}
    command = ["npm", "pack", "--json", "--pack-destination", str(project)]
    packed = subprocess.run(command, cwd=MODULE, env=environment, capture_output=True, check=True, timeout=300)
    [facts] = json.loads(packed.stdout)
    with tarfile.open(project / facts["filename"]) as archive:
        archive.extractall(project / "unpacked", filter="data")
    (project / "node_modules").mkdir()
    (project / "unpacked" / "package").rename(project / "node_modules" / NAME)
    return project


def run(node: str, *arguments: object, **options: Any) -> str:  # noqa: F811
    done = subprocess.run(
        [node, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def compile_in(project: Path, node: str, name: str, files: list[str], **options: Any) -> None:  # noqa: F811
    settings = {"compilerOptions": {**STRICT, "types": [], **options}, "files": files}
    (project / name).write_text(json.dumps(settings), encoding="utf-8")
    run(node, COMPILER, "--project", project / name)


def test_the_package_holds_the_module_and_runs_under_node(node: str, installed: Path) -> None:  # noqa: F811
    package = installed / "node_modules" / NAME
    assert {one.name for one in package.iterdir()} == {one.name for one in MODULE.iterdir()}
    facts = json.loads((package / "package.json").read_text(encoding="utf-8"))
    assert "dependencies" not in facts
    assert facts["sideEffects"] is False
    script = f"""
      import {{ createGatehouse, GatehouseError }} from '{NAME}'
      const g = createGatehouse({{ url: 'http://127.0.0.1:9' }})
      const all = []
      for await (const one of g.restore()) all.push(one)
      const error = await g.login('ada@example.com', 'x').catch((thrown) => thrown)
      console.log(JSON.stringify([all, error instanceof GatehouseError, error.type, g.can('x')]))
    """
    said = run(node, "--input-type=module", "--eval", script, cwd=installed)
    assert json.loads(said) == [[{"user": None, "verified": True}], True, "network_error", False]


@pytest.mark.parametrize("resolution", ["nodenext", "bundler"])
def test_its_types_hold_in_a_sample_that_uses_everything(node: str, installed: Path, resolution: str) -> None:  # noqa: F811
    (installed / "sample.ts").write_text((HERE / "sample.ts").read_text(encoding="utf-8"), encoding="utf-8")
    (installed / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    module = "nodenext" if resolution == "nodenext" else "esnext"
    compile_in(installed, node, f"{resolution}.json", ["sample.ts"], module=module, moduleResolution=resolution)


def test_what_is_declared_is_there_and_the_sample_uses_all_of_it(node: str) -> None:  # noqa: F811
    found = json.loads(run(node, HERE / "declared.mjs", MODULE, INTEROP))
    assert found["declared"] == found["actual"]
    assert {"createGatehouse", "GatehouseError"} == set(found["actual"]["exports"])
    sample = (HERE / "sample.ts").read_text(encoding="utf-8")
    assert [name for name in found["actual"]["members"] if not re.search(rf"\bg\.{re.escape(name)}[(<]", sample)] == []


def test_its_code_is_small_and_the_compiler_finds_no_fault_in_it(node: str, tmp_path: Path) -> None:  # noqa: F811
    files = sorted(MODULE.glob("*.js"))
    weight = sum(len(gzip.compress(file.read_bytes())) for file in files)
    assert weight < GZIPPED_BYTES, f"{weight} bytes"
    options = {"module": "esnext", "moduleResolution": "bundler", "allowJs": True, "checkJs": True, "strict": False}
    settings = {
        "compilerOptions": {**STRICT, "types": [], **options, "noUnusedLocals": True},
        "files": list(map(str, files)),
    }
    (tmp_path / "check.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [node, str(COMPILER), "--project", str(tmp_path / "check.json")]
    told = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False).stdout
    assert [line for line in told.splitlines() if FAULT.search(line)] == []
