"""What `verify` says of a study: one verdict per rule, as values, JSON and Markdown."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from benchsuite.errors import StoreError
from benchsuite.schema.texts import described

VerdictStatus = Literal["pass", "warn", "fail", "not_applicable"]

STATUS_WORDS: dict[VerdictStatus, str] = {
    "pass": "passed",
    "warn": "passed with a warning",
    "fail": "failed",
    "not_applicable": "not applicable",
}
"""A status in words, for a reader."""
MOST_DETAILS = 20
"""Details of a rule that Markdown shows; of more it says how many there are. JSON has all of them."""


@dataclass(frozen=True)
class RuleVerdict:
    """What one rule says.

    rule     its name, see publishing.rules.VERIFICATION_RULES
    status   `not_applicable` where the study holds nothing that the rule could judge: that is no pass
    summary  one sentence
    details  what was found, a sentence per finding
    """

    rule: str
    status: VerdictStatus
    summary: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verification:
    """What all rules say.

    subject  the folder or file that was verified
    suite    the frozen suite that its trials were compared with, `quick@1`; None for none
    """

    subject: str
    suite: str | None
    rules: tuple[RuleVerdict, ...]

    @classmethod
    def read(cls, path: Path) -> Verification:
        """What to_json() wrote to a file. Raises StoreError for a file that is none."""
        try:
            found = json.loads(path.read_bytes())
            rules = [
                RuleVerdict(
                    str(one["rule"]),
                    _status(one["status"]),
                    str(one["summary"]),
                    tuple(map(str, one.get("details", ()))),
                )
                for one in found["rules"]
            ]
            return cls(str(found.get("subject", "")), found.get("suite"), tuple(rules))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise StoreError(f"{path} cannot be read as a verification: {described(error)}") from error

    @property
    def passed(self) -> bool:
        """Whether no rule failed. A warning is no failure, and neither is a rule that does not apply."""
        return not self.of("fail")

    def of(self, status: VerdictStatus) -> tuple[RuleVerdict, ...]:
        """The verdicts with that status, in the order of the rules."""
        return tuple(one for one in self.rules if one.status == status)

    def rule(self, name: str) -> RuleVerdict:
        """The verdict of one rule. Raises KeyError for a name that no rule has."""
        found = next((one for one in self.rules if one.rule == name), None)
        if found is None:
            raise KeyError(name)
        return found

    @property
    def sentence(self) -> str:
        """`verified: 15 rules passed, 1 with a warning, 2 not applicable`, or what failed."""
        failed = self.of("fail")
        if failed:
            return f"not verified: {', '.join(one.rule for one in failed)} failed"
        parts = [f"{len(self.of('pass')) + len(self.of('warn'))} rules passed"]
        if warned := self.of("warn"):
            parts.append(f"{len(warned)} with a warning")
        if absent := self.of("not_applicable"):
            parts.append(f"{len(absent)} not applicable")
        return f"verified: {', '.join(parts)}"

    def as_json(self) -> dict[str, Any]:
        """The values that to_json() writes."""
        rules = [{**asdict(one), "details": list(one.details)} for one in self.rules]
        return {"subject": self.subject, "suite": self.suite, "passed": self.passed, "rules": rules}

    def to_json(self) -> str:
        """An object with subject, suite, passed and rules; each rule has rule, status, summary and details."""
        return json.dumps(self.as_json(), indent=2, ensure_ascii=False)

    def to_markdown(self) -> str:
        """A heading, a table of the rules, and the details of those that failed or warn: for a pull request."""
        lines = [f"## Verification of {_escaped(self.subject)}", "", f"**{_escaped(self.sentence)}**", ""]
        if self.suite:
            lines += [f"Compared with the frozen suite `{self.suite}`.", ""]
        lines += ["| rule | verdict | what was found |", "|---|---|---|"]
        lines += [
            f"| {one.rule} | {STATUS_WORDS[one.status]} | {_escaped(one.summary)} |" for one in self.rules
        ]
        for one in (*self.of("fail"), *self.of("warn")):
            if one.details:
                lines += ["", f"### {one.rule}: {STATUS_WORDS[one.status]}", ""]
                lines += [f"- {_escaped(detail)}" for detail in one.details[:MOST_DETAILS]]
                if len(one.details) > MOST_DETAILS:
                    lines.append(f"- and {len(one.details) - MOST_DETAILS} more")
        return "\n".join(lines) + "\n"


def _status(word: object) -> VerdictStatus:
    """Raises ValueError for a word that is no status."""
    for status in STATUS_WORDS:
        if word == status:
            return status
    raise ValueError(f"{word!r} is no verdict; there are {', '.join(STATUS_WORDS)}")


def _escaped(text: str) -> str:
    """Text of a record as text: in a comment on a pull request it must make no table, link, mention or tag."""
    plain = " ".join(text.split())
    for character in "\\`*_[]<>|#@!":
        plain = plain.replace(character, f"\\{character}" if character != "@" else "@\u200b")
    return plain
