"""What a user installs: three packages, one command, and nothing of the workshop."""

import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parent.parent


def test_the_wheel_holds_three_typed_packages_and_the_command_hub(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)

    (wheel,) = tmp_path.glob("interaction_hub-*-py3-none-any.whl")
    with ZipFile(wheel) as archive:
        names = archive.namelist()
        (entry_points,) = (archive.read(name).decode() for name in names if name.endswith("dist-info/entry_points.txt"))

    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == {"hub", "resolvers", "subscriptions"}
    assert {"hub/py.typed", "resolvers/py.typed", "subscriptions/py.typed"} <= set(names)
    assert {"hub/web/console/index.html", "hub/web/console/THIRD-PARTY"} <= set(names)
    assert any(re.fullmatch(r"hub/web/console/console-\w+\.js", name) for name in names)
    assert entry_points.split() == ["[console_scripts]", "hub", "=", "hub.cli:app"]
