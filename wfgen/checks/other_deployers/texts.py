"""The texts of a step with what is known of their variables, and the commands in its script."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from wfgen.actions.workflow import Job, Step, Workflow

UNKNOWN = "\0"
"""Stands for a part of a text that is only known in a run."""
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_ENV = re.compile(r"\s*env\.(\w+)\s*")
_VARIABLE = re.compile(r"\$(?:\{(\w+)[^}]*\}|(\w+)|\([^)]*\))")
_ASSIGNED = re.compile(r"^\s*(?:export\s+|local\s+)?(\w+)=([^\s;|&]+)\s*$", re.MULTILINE)
_COMMENT = re.compile(r"(^|\s)#.*")
_BEFORE = {"sudo", "env", "time", "exec", "command", "then", "do", "else", "if", "!", "{"}
"""Words before the name of a program."""

Command = list[str]
"""The words of a command, beginning with its program."""


@dataclass(frozen=True)
class Texts:
    """Fills in the variables of a step."""

    variables: Mapping[str, str]

    @classmethod
    def of(cls, workflow: Workflow, job: Job, step: Step) -> Texts:
        """The variables of the workflow, the job, the step and its script."""
        variables: dict[str, str] = {}
        given = [*workflow.env.items(), *job.env.items(), *step.env.items()]
        assigned = [(name, value.strip("\"'")) for name, value in _ASSIGNED.findall(step.run)]
        for name, value in (*given, *assigned):
            variables[name] = cls(dict(variables)).fill(str(value))
        return cls(variables)

    def fill(self, text: str) -> str:
        """A text with the known variables filled in, and `UNKNOWN` for all else."""

        def expression(match: re.Match[str]) -> str:
            named = _ENV.fullmatch(match[1])
            return self.variables.get(named[1], UNKNOWN) if named else UNKNOWN

        def variable(match: re.Match[str]) -> str:
            return self.variables.get(match[1] or match[2] or "", UNKNOWN)

        return _VARIABLE.sub(variable, _EXPRESSION.sub(expression, text))

    def pipelines(self, script: str) -> list[list[Command]]:
        """The commands of a script: those that a pipe connects stand together."""
        script = re.sub(r"\\\n", " ", self.fill(script))
        found: list[list[Command]] = []
        for line in script.splitlines():
            pipeline: list[Command] = []
            words: Command = []
            for word in [*_words(_COMMENT.sub(r"\1", line)), ";"]:
                if set(word) <= set(";|&()") and word:
                    pipeline += [command] if (command := _command(words)) else []
                    words = []
                    if word != "|" and pipeline:
                        found.append(pipeline)
                        pipeline = []
                else:
                    words.append(word)
        return found


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";|&()")
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        return list(lexer)
    except ValueError:  # a quote that is closed on another line
        return line.split()


def _command(words: list[str]) -> Command:
    """The words from the program's name on."""
    for index, word in enumerate(words):
        if word not in _BEFORE and not re.match(r"\w+=", word):
            return [word.rpartition("/")[2], *words[index + 1 :]]
    return []
