"""Settings of a box: `edge.toml` in its data folder, every value with a default."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from shared.config.box import LABEL_PREFIXES, BoxValue
from shared.item.labels import LABEL_COUNTRIES, BarcodeScheme, own_scheme, scheme_of
from shared.kernel.errors import RefusedError

SETTINGS_FILE = "edge.toml"
_SCANNER_KINDS = ("auto", "evdev", "serial", "virtual")
_TERMINATORS = ("enter", "tab", "etx", "none")
_KEYBOARDS = ("us", "de", "fr")
_SEPARATOR_KEYS = ("", *(f"f{n}" for n in range(1, 13)))
_GAP_MS_MIN, _PAUSE_MS_MAX = 20, 2000
_BAUD_MIN, _BAUD_MAX = 300, 1_000_000
_PRINTER_KINDS = ("network", "usb", "serial", "file", "virtual", "none")
_USB_ID_MAX = 0xFFFF
_SHELF_KINDS = ("none", "mqtt", "virtual")
_CLOCK_KINDS = ("system", "virtual")
_LOCALES = ("zh-CN", "zh-TW", "en")
_SCALE_KINDS = ("none", "toledo8217", "continuous", "mt_continuous", "virtual")
_DISPLAY_KINDS = ("none", "epson", "cd5220", "virtual")
_WEIGHT_MILLI_MAX = 600_000
_TIME_OF_DAY = re.compile(r"((?:[01]\d|2[0-3]):[0-5]\d)?")
_PORT_MAX = 65_535
_LANES_MAX = 32
_PRINTER_WORDS = {
    "kind": _PRINTER_KINDS,
    "cut": ("partial", "full", "none"),
    "completion": ("in_order", "status", "none"),
    "parity": ("none", "even", "odd"),
    "flow": ("none", "rts", "dsr", "xon"),
    "drawer_open_level": ("none", "high", "low"),
}
_BALLAST_MB_MAX = 4096
_PRINTER_RANGES = {
    "port": (0, _PORT_MAX),
    "baud": (_BAUD_MIN, _BAUD_MAX),
    "vendor_id": (0, _USB_ID_MAX),
    "product_id": (0, _USB_ID_MAX),
    "width_chars": (16, 96),
    "dots": (0, 1024),
    "feed_lines": (0, 20),
}


@dataclass(frozen=True, slots=True)
class BoxSettings:
    """The appliance. `training` allows virtual devices; `lanes` are numbered from 1.

    `ballast_mb` of the disk are set aside and given up when it is full, so that selling goes on
    until somebody makes room. With `https_port` the till is served there over HTTPS, and `port`
    only shows how a tablet comes to trust it; 0 serves the till on `port`, unencrypted.
    `certificate` and `certificate_key` are files (PEM) of the chain's own; "" takes head office's.
    """

    training: bool = False
    host: str = "127.0.0.1"
    port: int = 8460
    lanes: int = 1
    locale: str = "zh-CN"
    ballast_mb: int = 64
    certificate: str = ""
    certificate_key: str = ""
    https_port: int = 0


@dataclass(frozen=True, slots=True)
class ScannerSettings:
    """`auto` finds USB scanners and knows their lanes by pairing; `evdev` and `serial` open `path`.

    `path` with {lane} is a name that udev rules give, which goes before any pairing.  `port` is
    the TCP port of lane 1's virtual scanner, the next lanes follow; 0 picks one.  The rest is what
    the scanner was set up to send, see `edge/device/framing.py`.
    """

    kind: str = "auto"
    port: int = 0
    path: str = "/dev/tillbox/scanner-{lane}"
    baud: int = 9600
    prefix: str = ""
    suffix: str = ""
    terminator: str = "enter"
    gap_ms: int = 60
    keyboard: str = "us"
    separator: str = ""
    separator_key: str = ""
    aim: bool = False
    repeat_ms: int = 0


@dataclass(frozen=True, slots=True)
class PrinterSettings:
    """`width_chars` counts half-width characters per line of the paper.

    `cut` is how the paper is cut, `completion` how the printer proves that a job came out,
    `drawer_realtime` whether the drawer pulse may overtake a job.  `dots` is the printable width
    (0: what the columns take), `code_pages` names what the printer has beside `encoding`,
    `feed_lines` come before the cut; see `edge/device/escpos_profile.py`.

    `lanes` whose own printer it is, () for all; with `failover` it also prints for a lane whose
    own printer cannot.  Network printers have `host` and `port`, USB ones `vendor_id`,
    `product_id` and `serial`, serial and file ones the `device`.  `drawer_open_level` of the
    drawer's switch means open.
    """

    kind: str = "none"
    lanes: tuple[int, ...] = ()
    failover: bool = True
    host: str = "127.0.0.1"
    port: int = 9100
    device: str = "/dev/usb/lp0"
    baud: int = 9600
    parity: str = "none"
    flow: str = "none"
    vendor_id: int = 0
    product_id: int = 0
    serial: str = ""
    pushes_status: bool = False
    drawer_open_level: str = "none"
    width_chars: int = 48
    encoding: str = "gb18030"
    cut: str = "partial"
    drawer_realtime: bool = False
    completion: str = "in_order"
    dots: int = 0
    code_pages: str = ""
    font: str = "a"
    native_qr: bool = True
    feed_lines: int = 3


@dataclass(frozen=True, slots=True)
class ReceiptSettings:
    """`logo`: a picture in the data folder that heads each receipt; "" prints none.

    `raster_font`: the font file for scripts that the printer lacks; "" takes the machine's own.
    """

    logo: str = ""
    raster_font: str = ""


@dataclass(frozen=True, slots=True)
class DrawerSettings:
    """`pin` of the printer's drawer socket: 2 or 5; `left_open_s` until it is told, 0 never."""

    pin: int = 2
    left_open_s: int = 60


@dataclass(frozen=True, slots=True)
class ScaleSettings:
    """`{lane}` in `path` is the till's number; `lanes` that have a scale, () for all.

    `max_milli` and `division_milli` are thousandths of `unit`; a weight off the division is taken
    for noise (1: any will do).  `is_automatic` sells a weight as soon as it is stable, untouched.
    """

    kind: str = "none"
    path: str = "/dev/tillbox/scale-{lane}"
    port: int = 0
    baud: int = 9600
    unit: str = "kg"
    max_milli: int = 15_000
    division_milli: int = 1
    is_automatic: bool = False
    lanes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class DisplaySettings:
    """A serial customer display of two short rows; `lanes` that have one, () for all."""

    kind: str = "none"
    path: str = "/dev/tillbox/display-{lane}"
    port: int = 0
    baud: int = 9600
    columns: int = 20
    encoding: str = "ascii"
    lanes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ShelfSettings:
    """The broker of the store's shelf sensors; which sensors there are stands in `sensors.toml`.

    `password_file` lies in the data folder.  `virtual` sensors speak through that broker too, or
    with `port` 0 without any.
    """

    kind: str = "none"
    host: str = "127.0.0.1"
    port: int = 1883
    user: str = "box"
    password_file: str = ""


@dataclass(frozen=True, slots=True)
class ClockSettings:
    """`virtual` can be set through the training page; only with `training`."""

    kind: str = "system"


@dataclass(frozen=True, slots=True)
class SelfTestSettings:
    """`at`: when the box tries its devices and its disk each night, "HH:MM" in the store's time.

    It waits up to two hours for a shop that still sells; "" leaves it out.
    """

    at: str = "03:30"


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    """`every_s`: how often head office hears how the box feels; 0 leaves it to head office."""

    every_s: int = 0


@dataclass(frozen=True, slots=True)
class MirrorSettings:
    """`path`: a folder on a USB stick for a second copy of the journal; "" keeps none."""

    path: str = ""


@dataclass(frozen=True, slots=True)
class BackupSettings:
    """Sealed backups, once a day. All of the journal goes into the folder `path` on a USB stick.

    "" keeps none there; the newest `keep` stay. To head office goes what its archive may lack.
    """

    path: str = ""
    keep: int = 7
    to_office: bool = True


@dataclass(frozen=True, slots=True)
class BarcodeSettings:
    """`country`: whose rules packs with a weight or price follow (ISO 3166-1 alpha-2).

    "" is the chain's own scheme, as in China and Taiwan: the first two digits of an EAN-13 that
    mean a label with a weight or a price, or a member's card.
    """

    country: str = ""
    weight_prefixes: tuple[int, ...] = (21,)
    price_prefixes: tuple[int, ...] = (22,)
    member_prefixes: tuple[int, ...] = (29,)

    @property
    def scheme(self) -> BarcodeScheme:
        """What the digits of labels and cards mean."""
        own = own_scheme(self.weight_prefixes, self.price_prefixes, self.member_prefixes)
        return scheme_of(self.country, own)


@dataclass(frozen=True, slots=True)
class Settings:
    """All of `edge.toml`, and the folder it lies in."""

    data_dir: Path
    box: BoxSettings = field(default_factory=BoxSettings)
    scanner: ScannerSettings = field(default_factory=ScannerSettings)
    printer: PrinterSettings = field(default_factory=PrinterSettings)
    printer_2: PrinterSettings = field(default_factory=PrinterSettings)
    printer_3: PrinterSettings = field(default_factory=PrinterSettings)
    printer_4: PrinterSettings = field(default_factory=PrinterSettings)
    drawer: DrawerSettings = field(default_factory=DrawerSettings)
    receipt: ReceiptSettings = field(default_factory=ReceiptSettings)
    scale: ScaleSettings = field(default_factory=ScaleSettings)
    display: DisplaySettings = field(default_factory=DisplaySettings)
    shelf: ShelfSettings = field(default_factory=ShelfSettings)
    barcode: BarcodeSettings = field(default_factory=BarcodeSettings)
    clock: ClockSettings = field(default_factory=ClockSettings)
    mirror: MirrorSettings = field(default_factory=MirrorSettings)
    backup: BackupSettings = field(default_factory=BackupSettings)
    self_test: SelfTestSettings = field(default_factory=SelfTestSettings)
    telemetry: TelemetrySettings = field(default_factory=TelemetrySettings)
    from_fleet: frozenset[str] = frozenset()
    """The fields that head office set, such as `drawer.left_open_s`."""

    def value_of(self, name: str) -> BoxValue:
        """The value of a field, such as `drawer.left_open_s`."""
        section, _, field_name = name.partition(".")
        found: BoxValue = getattr(getattr(self, section), field_name)
        return found

    @property
    def training(self) -> bool:
        """Whether virtual devices and the training page are on."""
        return self.box.training

    def lane_numbers(self) -> tuple[int, ...]:
        """1 to the number of lanes."""
        return tuple(range(1, self.box.lanes + 1))

    def printers(self) -> tuple[tuple[int, PrinterSettings], ...]:
        """The printers that there are, each with the number of its section."""
        every = (self.printer, self.printer_2, self.printer_3, self.printer_4)
        return tuple((n, each) for n, each in enumerate(every, start=1) if each.kind != "none")


_SECTIONS: dict[str, type[Any]] = {
    "box": BoxSettings,
    "scanner": ScannerSettings,
    **dict.fromkeys(("printer", "printer_2", "printer_3", "printer_4"), PrinterSettings),
    "drawer": DrawerSettings,
    "receipt": ReceiptSettings,
    "scale": ScaleSettings,
    "display": DisplaySettings,
    "shelf": ShelfSettings,
    "barcode": BarcodeSettings,
    "clock": ClockSettings,
    "mirror": MirrorSettings,
    "backup": BackupSettings,
    "self_test": SelfTestSettings,
    "telemetry": TelemetrySettings,
}
T = TypeVar("T")


def load_settings(data_dir: Path) -> Settings:
    """Read `edge.toml`; a missing file means defaults.

    Raises RefusedError `settings.syntax`, `settings.unknown`, `settings.type` or
    `settings.value`, each with the section and field to correct.
    """
    return parse_settings(data_dir, read_document(data_dir))


def read_document(data_dir: Path) -> dict[str, Any]:
    """What stands in `edge.toml`; raises RefusedError `settings.syntax`."""
    path = data_dir / SETTINGS_FILE
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except ValueError as error:  # no TOML, or no UTF-8
        raise RefusedError("settings.syntax", file=str(path), because=str(error)) from error


def parse_settings(data_dir: Path, document: Mapping[str, Any]) -> Settings:
    """Settings of a parsed document; raises as `load_settings` does."""
    for name in document:
        if name not in _SECTIONS:
            raise RefusedError("settings.unknown", field=name)
    sections = {name: _read(name, kind, document) for name, kind in _SECTIONS.items()}
    settings = Settings(data_dir=data_dir, **sections)
    _check(settings)
    return settings


def _read(section: str, kind: type[T], document: Mapping[str, Any]) -> T:
    given = document.get(section, {})
    if not isinstance(given, dict):
        raise RefusedError("settings.type", field=section, wanted="table")
    known = {spec.name: spec for spec in fields(kind)}  # type: ignore[arg-type]
    for name, value in given.items():
        if name not in known:
            raise RefusedError("settings.unknown", field=f"{section}.{name}")
        _check_type(f"{section}.{name}", value, known[name].default)
    lists = {name: tuple(value) for name, value in given.items() if isinstance(value, list)}
    return kind(**{**given, **lists})


def _check_type(name: str, value: object, default: object) -> None:
    """A value must be of its default's type; a list is one of whole numbers."""
    if isinstance(default, tuple):
        is_right = isinstance(value, list) and all(type(each) is int for each in value)
        wanted = "list of numbers"
    else:
        is_right, wanted = type(value) is type(default), type(default).__name__
    if not is_right:
        raise RefusedError("settings.type", field=name, wanted=wanted)


def _check(settings: Settings) -> None:
    one_of("box.locale", settings.box.locale, _LOCALES)
    _check_scanner(settings.scanner)
    one_of("shelf.kind", settings.shelf.kind, _SHELF_KINDS)
    _check_barcode(settings.barcode)
    one_of("clock.kind", settings.clock.kind, _CLOCK_KINDS)
    if not _TIME_OF_DAY.fullmatch(settings.self_test.at):
        raise RefusedError("settings.value", field="self_test.at", allowed='"HH:MM", ""')
    _in_range("box.lanes", settings.box.lanes, 1, _LANES_MAX)
    _in_range("telemetry.every_s", settings.telemetry.every_s, 0, 3600)
    _in_range("box.ballast_mb", settings.box.ballast_mb, 0, _BALLAST_MB_MAX)
    for name, port in (
        ("box.port", settings.box.port),
        ("box.https_port", settings.box.https_port),
        ("scanner.port", settings.scanner.port),
        ("shelf.port", settings.shelf.port),
    ):
        _in_range(name, port, 0, _PORT_MAX)
    for section in ("printer", "printer_2", "printer_3", "printer_4"):
        _check_printer(section, getattr(settings, section), settings.box.lanes)
    _in_range("drawer.left_open_s", settings.drawer.left_open_s, 0, 3600)
    _in_range("backup.keep", settings.backup.keep, 1, 1000)
    if Path(settings.receipt.logo).name != settings.receipt.logo:
        raise RefusedError("settings.value", field="receipt.logo", allowed="a file's name")
    if settings.drawer.pin not in {2, 5}:
        raise RefusedError("settings.value", field="drawer.pin", allowed="2, 5")
    _check_counter(settings)
    virtual = (
        *(settings.scanner.kind, settings.clock.kind),
        *(printer.kind for _, printer in settings.printers()),
        *(settings.scale.kind, settings.display.kind, settings.shelf.kind),
    )
    if "virtual" in virtual and not settings.training:
        raise RefusedError("settings.training", field="box.training")


def _check_barcode(barcode: BarcodeSettings) -> None:
    one_of("barcode.country", barcode.country, ("", *LABEL_COUNTRIES))
    taken: set[int] = set()
    for name in ("weight_prefixes", "price_prefixes", "member_prefixes"):
        for prefix in getattr(barcode, name):
            if prefix not in LABEL_PREFIXES or prefix in taken:
                allowed = "2, 4, 20-29, each once"
                raise RefusedError("settings.value", field=f"barcode.{name}", allowed=allowed)
            taken.add(prefix)


def _check_counter(settings: Settings) -> None:
    """What stands before the customer: scale and display."""
    scale, display = settings.scale, settings.display
    one_of("scale.kind", scale.kind, _SCALE_KINDS)
    one_of("scale.unit", scale.unit, ("kg", "lb"))
    one_of("display.kind", display.kind, _DISPLAY_KINDS)
    one_of("display.encoding", display.encoding, ("ascii", "gb18030"))
    _in_range("scale.max_milli", scale.max_milli, 1, _WEIGHT_MILLI_MAX)
    _in_range("scale.division_milli", scale.division_milli, 1, scale.max_milli)
    _in_range("display.columns", display.columns, 8, 40)
    for section, part in (("scale", scale), ("display", display)):
        _in_range(f"{section}.port", part.port, 0, _PORT_MAX)
        _in_range(f"{section}.baud", part.baud, 300, 115_200)
        for lane in part.lanes:
            _in_range(f"{section}.lanes", lane, 1, settings.box.lanes)


def _check_printer(section: str, printer: PrinterSettings, lanes: int) -> None:
    for name, allowed in _PRINTER_WORDS.items():
        one_of(f"{section}.{name}", getattr(printer, name), allowed)
    for name, (low, high) in _PRINTER_RANGES.items():
        _in_range(f"{section}.{name}", getattr(printer, name), low, high)
    for lane in printer.lanes:
        _in_range(f"{section}.lanes", lane, 1, lanes)


def _check_scanner(scanner: ScannerSettings) -> None:
    one_of("scanner.kind", scanner.kind, _SCANNER_KINDS)
    one_of("scanner.terminator", scanner.terminator, _TERMINATORS)
    one_of("scanner.keyboard", scanner.keyboard, _KEYBOARDS)
    one_of("scanner.separator_key", scanner.separator_key, _SEPARATOR_KEYS)
    _in_range("scanner.gap_ms", scanner.gap_ms, _GAP_MS_MIN, _PAUSE_MS_MAX)
    _in_range("scanner.repeat_ms", scanner.repeat_ms, 0, _PAUSE_MS_MAX)
    _in_range("scanner.baud", scanner.baud, _BAUD_MIN, _BAUD_MAX)


def one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """Raises RefusedError `settings.value` unless `value` of the field `name` is allowed."""
    if value not in allowed:
        raise RefusedError("settings.value", field=name, allowed=", ".join(allowed))


def _in_range(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise RefusedError("settings.value", field=name, allowed=f"{low}-{high}")
