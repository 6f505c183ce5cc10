"""Every command of the pages on TEEs is run: with recorded evidence where there is some, and otherwise as far as reading it."""

import re
import shlex
import shutil

import pytest

from conftest import BIN, ROOT, run
from test_docs import commands_of
from test_evidence import VECTORS, nitro_document

PAGES = sorted((ROOT / "docs/tees").glob("*.md"))
# The files that a page takes for granted.
RECORDED = {
    "snp": {"report.bin": "snp/test-report.bin", "vcek.der": "snp/test-vcek.der", "evidence.json": "snp/genoa-v3-evidence.json"},
    "tdx": {"quote.bin": "tdx/dcap/tdx_quote", "collateral.json": "tdx/dcap/tdx_quote_collateral.json"},
    "sgx": {"quote.bin": "sgx/dcap/sgx_quote", "collateral.json": "sgx/dcap/sgx_quote_collateral.json"},
    "tpm": {"evidence.json": "tpm/tpm_evidence.json"},
    "az-vtpm": {"evidence.json": "az-snp-vtpm/evidence-v1.json"},
    "nvidia": {"report.bin": "nvidia/hopper_coco_report1.txt", "chain.pem": "nvidia/hopper_coco_certs1.txt"},
    "cca": {"token.cbor": "cca/cca-example-token.cbor"},
}
# Of one's own machines; a test has none, so these end in a refusal.
PLACEHOLDERS = {"5a5a...": "5a" * 48}


@pytest.fixture
def page_folder(request, tmp_path):
    page = request.param
    for name, source in RECORDED.get(page.stem, {}).items():
        if (VECTORS / source).exists():
            shutil.copy(VECTORS / source, tmp_path / name)
    if page.stem == "nitro" and VECTORS.is_dir():
        (tmp_path / "document.bin").write_bytes(nitro_document())
    return page, tmp_path


@pytest.mark.parametrize("page_folder", PAGES, ids=lambda page: page.stem, indirect=True)
def test_the_commands_of_a_page(page_folder):
    page, folder = page_folder
    for command in commands_of(page):
        complete = not any(placeholder in command for placeholder in PLACEHOLDERS)
        for placeholder, value in PLACEHOLDERS.items():
            command = command.replace(placeholder, value)
        words = shlex.split(command)
        assert words[0] == "coffer", command
        files = [word for word in words[1:] if re.fullmatch(r"[a-z]+\.(bin|json|der|pem|cbor)", word)]
        complete = complete and all((folder / name).exists() for name in files)
        for name in files:
            if not (folder / name).exists():
                (folder / name).write_bytes(b"{}")
        result = run(BIN / "coffer", *words[1:], cwd=folder, check=False)
        said = f"{page.name}: {command}\n{result.stdout}{result.stderr}"
        if complete:
            assert result.returncode == 0, said
        else:
            assert result.returncode == 1, said
            assert re.search(r"\b[a-z_]+\.[a-z_]+\b", result.stderr), said


def test_each_page_shows_how_to_look_into_evidence():
    for page in PAGES:
        if page.stem != "external":
            assert any("evidence inspect" in command for command in commands_of(page)), page.name
