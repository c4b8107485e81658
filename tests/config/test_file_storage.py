"""Where users' files are kept, as the environment says it; and what is wrong with it, said at start-up."""

from pathlib import Path

import pytest

from config import file_storage
from config.environment import ConfigurationError, check_production, warn_about_production
from tests.config.installation import GOOD

KEYS = {"access_key_id": "id", "secret_access_key": "secret"}


def test_a_folder_or_a_bucket() -> None:
    folder = file_storage.storage(root="/srv/files", url="", **KEYS)
    assert folder["OPTIONS"] == {"location": "/srv/files"}
    url = "s3://papers/gate%20house/?region=eu-central-1&endpoint=https://minio.lan:9000&addressing=path"
    assert file_storage.storage(root="/srv/files", url=url, **KEYS)["OPTIONS"] == {
        "bucket_name": "papers",
        "location": "gate house",
        "region_name": "eu-central-1",
        "endpoint_url": "https://minio.lan:9000",
        "addressing_style": "path",
        "access_key": "id",
        "secret_key": "secret",
    }
    bare = file_storage.storage(root="/srv/files", url="s3://papers", access_key_id="", secret_access_key="")
    assert "access_key" not in bare["OPTIONS"], "then the machine's own rights count"


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("papers", "must be s3://BUCKET"),
        ("https://papers.s3.amazonaws.com", "must be s3://BUCKET"),
        ("s3://", "must be s3://BUCKET"),
        ("s3://id:secret@papers", "must not hold keys"),
        ("s3://papers?zone=1", "not known: zone"),
        ("s3://papers?addressing=odd", "addressing"),
        ("s3://papers?endpoint=minio:9000", "endpoint"),
    ],
)
def test_a_bucket_that_cannot_be_meant_is_refused_at_start_up(
    monkeypatch: pytest.MonkeyPatch, url: str, complaint: str
) -> None:
    for name, value in {**GOOD, "FILES_STORAGE_URL": url}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match="FILES_STORAGE_URL") as refused:
        check_production()
    assert complaint in str(refused.value)
    assert "secret@" not in str(refused.value)


def test_a_folder_has_its_full_path(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**GOOD, "FILES_ROOT": "files"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match="FILES_ROOT must be the full path"):
        check_production()


def test_a_folder_that_cannot_be_written_to_is_said_and_keeps_nobody_from_signing_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Everything but files works, so it is a warning."""
    monkeypatch.delenv("FILES_STORAGE_URL", raising=False)
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("FILES_ROOT", str(tmp_path / "file" / "below"))
    warn_about_production()
    assert "FILES_ROOT" in capsys.readouterr().err
    monkeypatch.setenv("FILES_ROOT", str(tmp_path / "not" / "there" / "yet"))
    warn_about_production()
    assert "FILES_ROOT" not in capsys.readouterr().err
