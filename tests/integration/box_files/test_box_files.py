"""The files of the box's operating system, read by the programs that will read them there."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.lab.debian import find_program

ROOT = Path(__file__).resolve().parents[3]
FILES = ROOT / "firmware-config" / "box" / "root"
UNIT = FILES / "etc/systemd/system/tillbox-edge.service"
EXPOSURE_MAX = 2.0
DRIVERS_OF_CLASS = {
    "char-input": {"evdev", "usbhid"},
    "char-usb": {"usblp"},
    "char-usb_device": set(),
    "char-ttyACM": {"cdc_acm"},
    "char-ttyUSB": {"usbserial", "ftdi_sio", "pl2303", "ch341", "cp210x"},
    "char-ttyS": set(),
    "char-ttyAMA": set(),
}
"""A class that is not in /proc/devices when the unit starts is silently not allowed."""
RULE_TOKEN = re.compile(r'[A-Z_]+(\{[\w/]+\})?(==|!=|\+=|-=|:=|=)"[^"]*"')


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )


def lines_of(name: str) -> list[str]:
    text = (FILES / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root file system with our files, this machine's own units and a program to start."""
    root = tmp_path_factory.mktemp("box") / "root"
    shutil.copytree(FILES, root)
    shutil.copytree("/usr/lib/systemd/system", root / "usr/lib/systemd/system", symlinks=True)
    program = root / "usr/bin/python3"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return root


def test_systemd_takes_the_unit_without_a_word(machine: Path) -> None:
    done = run("systemd-analyze", "verify", f"--root={machine}", "--man=no", UNIT.name)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_misspelt_unit_would_be_noticed(machine: Path) -> None:
    bad = machine / "etc/systemd/system/bad.service"
    bad.write_text(UNIT.read_text().replace("WatchdogSec", "WatchDogSeconds"))
    done = run("systemd-analyze", "verify", f"--root={machine}", "--man=no", bad.name)
    assert "WatchDogSeconds" in done.stdout


def test_the_box_is_shut_off_from_what_it_does_not_need(machine: Path) -> None:
    analyse = ("systemd-analyze", "security", "--offline=true", f"--root={machine}")
    done = run(*analyse, f"--threshold={EXPOSURE_MAX * 10:.0f}", UNIT.name)
    found = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert found is not None
    assert float(found[1]) <= EXPOSURE_MAX
    assert done.returncode == 0


def test_the_box_is_restarted_for_ever_and_watched() -> None:
    unit = lines_of("etc/systemd/system/tillbox-edge.service")
    wanted = {"Type=notify", "WatchdogSec=30", "Restart=always", "StartLimitIntervalSec=0"}
    assert wanted <= set(unit)
    assert {"User=tillbox", "NoNewPrivileges=yes", "ProtectSystem=strict"} <= set(unit)


def test_the_unit_starts_the_launcher_which_lies_where_no_release_can_damage_it() -> None:
    unit = lines_of("etc/systemd/system/tillbox-edge.service")
    start = next(line for line in unit if line.startswith("ExecStart="))
    program, *arguments = start.removeprefix("ExecStart=").split()
    assert (program, arguments[0]) == ("/usr/bin/python3", "-I")
    launcher = FILES / arguments[1].lstrip("/")
    assert launcher.read_bytes() == (ROOT / "edge/updater/launcher.py").read_bytes()
    assert arguments[2:4] == ["/opt/tillbox", "run"]
    assert "ReadWritePaths=-/opt/tillbox" in unit
    mounts = {line.split()[1]: line.split()[3].split(",") for line in lines_of("etc/fstab")}
    assert {"bind", "rw", "exec", "nosuid", "nodev"} <= set(mounts["/opt/tillbox"])


def test_each_allowed_device_class_has_its_drivers_loaded_before_the_start() -> None:
    unit = lines_of("etc/systemd/system/tillbox-edge.service")
    classes = {line.split("=")[1].split()[0] for line in unit if line.startswith("DeviceAllow=")}
    loaded = set(lines_of("etc/modules-load.d/tillbox.conf"))
    assert classes == set(DRIVERS_OF_CLASS)
    assert set().union(*DRIVERS_OF_CLASS.values()) == loaded


@pytest.mark.parametrize(
    ("name", "daemon"),
    [
        ("etc/systemd/journald.conf.d/60-tillbox.conf", "systemd-journald"),
        ("etc/systemd/system.conf.d/60-tillbox-watchdog.conf", "systemd"),
    ],
)
def test_the_daemon_knows_every_setting(name: str, daemon: str) -> None:
    binary = (Path("/lib/systemd") / daemon).read_bytes()
    for library in Path("/lib/systemd").glob("libsystemd-*.so"):
        binary += library.read_bytes()
    settings = configparser.ConfigParser(strict=True, interpolation=None)
    settings.optionxform = str  # type: ignore[assignment,method-assign]
    settings.read(FILES / name)
    names = [key for section in settings.sections() for key in settings[section]]
    assert names
    assert [key for key in names if key.encode() not in binary] == []


def test_users_and_folders_are_made_by_systemd_s_own_tools(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    for system_file in ("passwd", "group"):
        shutil.copy(f"/etc/{system_file}", tmp_path / "etc" / system_file)
    users = run(
        "systemd-sysusers", f"--root={tmp_path}", str(FILES / "etc/sysusers.d/tillbox.conf")
    )
    assert users.returncode == 0, users.stdout
    passwd = (tmp_path / "etc/passwd").read_text()
    assert re.search(r"^tillbox:.*:/var/lib/tillbox:/usr/sbin/nologin$", passwd, re.MULTILINE)
    groups = (tmp_path / "etc/group").read_text()
    members = {
        line.split(":")[0] for line in groups.splitlines() if "tillbox" in line.split(":")[3]
    }
    assert members == {"input", "lp", "dialout"}


def test_only_the_data_partition_is_written(tmp_path: Path) -> None:
    mounts = [line.split() for line in lines_of("etc/fstab")]
    assert all(len(fields) == 6 for fields in mounts)
    options = {fields[1]: fields[3].split(",") for fields in mounts}
    assert "ro" in options["/"]
    assert "ro" in options["/boot/firmware"]
    on_card = [fields[1] for fields in mounts if fields[0].startswith("LABEL=")]
    assert [place for place in on_card if "rw" in options[place]] == ["/data"]
    assert {"noexec", "nosuid", "nodev", "errors=remount-ro"} <= set(options["/data"])
    bound = [fields[0] for fields in mounts if "bind" in fields[3]]
    made = {line.split()[1] for line in lines_of("etc/tmpfiles.d/tillbox.conf")}
    assert {source for source in bound if source not in made} == set()
    verdict = run("findmnt", "--verify", "--tab-file", str(FILES / "etc/fstab")).stdout
    assert "0 parse errors" in verdict


def test_every_kernel_setting_exists() -> None:
    names = [line.split("=")[0].strip() for line in lines_of("etc/sysctl.d/60-tillbox.conf")]
    paths = [Path("/proc/sys") / name.replace(".", "/") for name in names]
    assert [str(path) for path in paths if not path.exists()] == []


def test_the_pi_boots_with_its_watchdog_and_a_root_that_is_never_written() -> None:
    config = set(lines_of("boot/firmware/config.txt"))
    assert {"dtparam=watchdog=on", "arm_64bit=1", "usb_max_current_enable=1"} <= config
    words = (FILES / "boot/firmware/cmdline.txt").read_text().split()
    assert {"ro", "panic=10", "fsck.repair=yes", "usbcore.autosuspend=-1"} <= set(words)
    assert (FILES / "boot/firmware/cmdline.txt").read_text().count("\n") == 1


def test_each_udev_rule_is_made_of_tokens() -> None:
    rules = lines_of("etc/udev/rules.d/70-tillbox.rules")
    tokens = [token for rule in rules for token in re.split(r",\s+(?=[A-Z])", rule)]
    assert len(tokens) > len(rules)
    assert [token for token in tokens if not RULE_TOKEN.fullmatch(token)] == []
    jumps = {match for rule in rules for match in re.findall(r'GOTO="(\w+)"', rule)}
    labels = {match for rule in rules for match in re.findall(r'^LABEL="(\w+)"', rule)}
    assert jumps == labels


def test_chrony_takes_its_part_of_the_settings(tmp_path: Path) -> None:
    chronyd = find_program("chronyd")
    assert chronyd is not None, "chrony is missing: apt-get install chrony"
    part = FILES / "etc/chrony/conf.d/tillbox.conf"
    # -p checks the settings and prints them; ours have no drift file, so nothing is written.
    done = run(chronyd, "-p", "-f", str(part))
    assert done.returncode == 0, done.stdout
    assert "makestep 1.0 3" in done.stdout
    broken = tmp_path / "broken.conf"
    broken.write_text(part.read_text().replace("makestep 1.0 3", "makestep soon"))
    assert run(chronyd, "-p", "-f", str(broken)).returncode != 0


def test_the_sensors_broker_finds_its_password_files_after_the_first_boot() -> None:
    broker = lines_of("etc/mosquitto/conf.d/tillbox.conf")
    wanted = {line.split()[1] for line in broker if line.startswith("password_file ")}
    mounts = [line.split() for line in lines_of("etc/fstab")]
    bound = {fields[1]: fields[0] for fields in mounts if "bind" in fields[3]}
    made = {
        line.split()[1].replace(bound["/var/lib/mosquitto"], "/var/lib/mosquitto")
        for line in lines_of("etc/tmpfiles.d/tillbox.conf")
        if line.startswith("f ")
    }
    assert wanted == made
