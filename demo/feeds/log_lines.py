"""One log as the vendor writes it, sound or broken in a certain way."""

import datetime
from typing import NamedTuple
from xml.sax.saxutils import escape

from demo.feeds.deliveries import Log
from demo.feeds.reviews import BEYOND_32_BITS
from demo.feeds.vendor_csv import field

# kind of broken record -> the reason for which it is to be quarantined
REJECTED = {
    "too few fields": "wrong number of fields",
    "too many fields": "wrong number of fields",
    "no id": "no id_review",
    "text id": "id_review is not an integer",
    "huge id": "id_review is not an integer",
    "empty log": "no log",
    "truncated": "broken XML",
    "not XML": "broken XML",
    "bare ampersand": "broken XML",
    "DOCTYPE": "broken XML",
    "two logs": "not exactly one <log>",
    "no log element": "not exactly one <log>",
    "repeated tag": "a tag is repeated",
    "no logDate": "no logDate",
    "empty logDate": "no logDate",
    "no such date": "logDate is not a MM-dd-yyyy date",
    "ISO date": "logDate is not a MM-dd-yyyy date",
}


class Written(NamedTuple):
    """The values of one log as the vendor writes them; None leaves the tag out."""

    log_id: int
    log_date: datetime.date
    device: str | None
    location: str | None
    os: str | None
    ip: str | None
    phone: str | None
    browser: str | None = None
    # tags that nobody agreed on
    others: tuple[tuple[str, str], ...] = ()


def meant(log: Written, insert_date: datetime.date) -> Log:
    def value(text: str | None) -> str | None:
        return (text or "").strip() or None

    return Log(
        insert_date,
        log.log_id,
        log.log_date,
        value(log.device),
        value(log.os),
        value(log.location),
        value(log.browser),
    )


def xml(log: Written) -> str:
    return f"<reviewlog>{_log_element(log, f'{log.log_date:%m-%d-%Y}')}</reviewlog>"


def _log_element(log: Written, log_date: str | None) -> str:
    tags = {
        "logDate": log_date,
        "device": log.device,
        "location": log.location,
        "os": log.os,
        "browser": log.browser,
        "ipAddress": log.ip,
        "phoneNumber": log.phone,
        **dict(log.others),
    }
    values = (f"<{tag}>{escape(text)}</{tag}>" for tag, text in tags.items() if text is not None)
    return f"<log>{''.join(values)}</log>"


def broken_line(kind: str, log: Written) -> str:
    sound = xml(log)
    log_element = sound.removeprefix("<reviewlog>").removesuffix("</reviewlog>")
    match kind:
        case "too few fields":
            return f"{log.log_id}"
        case "too many fields":
            return f"{log.log_id},{sound},mobile app"
        case "no id":
            return f",{sound}"
        case "text id":
            return f"L{log.log_id},{sound}"
        case "huge id":
            return f"{BEYOND_32_BITS + log.log_id},{sound}"
        case "empty log":
            return f"{log.log_id},"
        case "truncated":
            return f"{log.log_id},{sound[: sound.index('</os>')]}"
        case "not XML":
            return f"{log.log_id},log not available"
        case "bare ampersand":
            return f"{log.log_id},{sound.replace('<device>', '<device>TV & ')}"
        case "DOCTYPE":
            entity = '<!DOCTYPE reviewlog [<!ENTITY who SYSTEM "file:///etc/hostname">]>'
            return f"{log.log_id},{field(entity + sound.replace('<device>', '<device>&who;'))}"
        case "two logs":
            return f"{log.log_id},{sound.replace(log_element, log_element * 2)}"
        case "no log element":
            return f"{log.log_id},<reviewlog></reviewlog>"
        case "repeated tag":
            return f"{log.log_id},{sound.replace('<os>', '<os>Linux</os><os>')}"
        case "no logDate":
            return f"{log.log_id},<reviewlog>{_log_element(log, None)}</reviewlog>"
        case "empty logDate":
            return f"{log.log_id},<reviewlog>{_log_element(log, '')}</reviewlog>"
        case "no such date":
            return f"{log.log_id},<reviewlog>{_log_element(log, f'04-31-{log.log_date.year}')}</reviewlog>"
        case "ISO date":
            return f"{log.log_id},<reviewlog>{_log_element(log, log.log_date.isoformat())}</reviewlog>"
    raise ValueError(f"no broken log of kind {kind!r}")
