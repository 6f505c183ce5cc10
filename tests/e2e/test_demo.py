"""The demonstration that the README promises."""

import os

from conftest import ROOT, run


def test_the_demo_ends_with_result_denial_reason_and_commands():
    result = run(ROOT / "tools/demo", timeout=400, env={"COFFER_NO_SETUP": "1"})
    text = result.stdout
    assert "5 + 10 = 15\n" in text
    assert "\n42\n" in text
    position = [text.index(part) for part in ("5 + 10 = 15", "(exit status 122)", "input.snp.measurement", "PCR 9, event 0: expected kernel command line",
                                               "The commands, to repeat")]
    assert text.count("5 + 10 = 15\n") == 2
    assert position == sorted(position)
    assert os.environ.get("TMPDIR", "/tmp") + "/coffer-demo" not in text[position[-1]:]
