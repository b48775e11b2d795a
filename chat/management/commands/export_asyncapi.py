"""Write the AsyncAPI document of the WebSocket protocol, or check that the written one is current."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from chat.protocol.asyncapi import build_document

DEFAULT_PATH = Path(settings.BASE_DIR) / "docs" / "asyncapi.yaml"
HEADER = "# Made by `manage.py export_asyncapi` from chat/protocol; do not edit.\n"


class Command(BaseCommand):
    help = "Write docs/asyncapi.yaml from the protocol's models; --check only compares."

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--output", type=Path, default=DEFAULT_PATH)
        parser.add_argument("--check", action="store_true", help="exit with an error when the file is out of date")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["output"]
        text = render_document()
        if not options["check"]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            return
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            raise CommandError(f"{path.name} is out of date: run `manage.py export_asyncapi`")


def render_document() -> str:
    """Return the document as YAML with the header that says where it comes from."""
    return HEADER + yaml.dump(build_document(), Dumper=PlainDumper, sort_keys=False, allow_unicode=True, width=110)


class PlainDumper(yaml.SafeDumper):
    """Writes repeated parts in full: many readers of AsyncAPI do not know YAML anchors."""

    @override
    def ignore_aliases(self, data: Any) -> bool:
        return True
