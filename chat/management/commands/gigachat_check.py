"""`manage.py gigachat_check [--json]`: walk the way to an answer of GigaChat and say where it ends.

Exit codes: 0 nothing failed; else that of the first failed step, see EXIT_CODES.
"""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from chat.gigachat.configuration import build_options
from chat.gigachat.doctor import Examination, Finding, Step, Verdict

EXIT_CODES = {
    Step.SETTINGS: 10,
    Step.CERTIFICATE: 11,
    Step.TOKEN: 12,
    Step.MODELS: 13,
    Step.MODEL: 14,
    Step.BALANCE: 15,
    Step.COMPLETION: 16,
    Step.VISION_MODEL: 17,
}


class Command(BaseCommand):
    help = "Check the way to GigaChat: settings, certificate, token, both models, balance, one tiny answer."
    requires_system_checks = ()

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", dest="is_json", help="print one JSON document")

    @override
    def handle(self, *args: Any, is_json: bool, **options: Any) -> None:
        findings = []
        examination = Examination(
            build=build_options, model=settings.GIGACHAT_MODEL, vision_model=settings.GIGACHAT_VISION_MODEL
        )
        for finding in examination.run():
            findings.append(finding)
            if not is_json:
                self._show(finding)
        failed = next((finding for finding in findings if finding.verdict is Verdict.FAILED), None)
        if is_json:
            document = {"ok": failed is None, "steps": [asdict(finding) for finding in findings]}
            self.stdout.write(json.dumps(document, ensure_ascii=False))
        if failed is not None:
            raise CommandError(f"failed: {failed.step.value}", returncode=EXIT_CODES[failed.step])

    def _show(self, finding: Finding) -> None:
        style = {Verdict.OK: self.style.SUCCESS, Verdict.FAILED: self.style.ERROR}.get(finding.verdict, str)
        self.stdout.write(
            f"{style(f'{finding.verdict.value:8}')}{finding.step.value:12}{finding.duration_ms:6} ms  {finding.detail}"
        )
        if finding.advice:
            self.stdout.write(f"{'':31}{finding.advice}")
