"""Schedules in cron syntax."""

from typing import Annotated

from wfgen.specs.kinds._model import Matching


def _cron(*parts: str) -> str:
    """The regular expression of a schedule, from those of the values of its fields."""
    fields = []
    for value in parts:
        entry = rf"(?:\*|(?:{value})(?:-(?:{value}))?)(?:/[1-9][0-9]?)?"
        fields.append(f"{entry}(?:,{entry})*")
    return " ".join(fields)


Cron = Annotated[
    str,
    Matching(
        _cron(
            "[0-5]?[0-9]",
            "[01]?[0-9]|2[0-3]",
            "0?[1-9]|[12][0-9]|3[01]",
            "0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC",
            "[0-6]|SUN|MON|TUE|WED|THU|FRI|SAT",
        ),
        "schedule",
        "use cron syntax with five fields, such as `17 3 * * *`",
        "minute, hour, day of the month, month, day of the week (0 to 6)",
    ),
]
"""https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#schedule"""
