#!/bin/sh
# The first program of the lab's machine.  Its root is this machine's own files, read only;
# LAB_REPOSITORY, LAB_OUT and LAB_CHECKS come with the kernel's command line.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts pts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs run /run
mount -t configfs config /sys/kernel/config
mkdir -p /run/out /run/home /run/udev/rules.d
mount -t hostfs none /run/out -o "$LAB_OUT"

# The box's own group and rules, beside the rules that Debian's udev brings.
cp /etc/group /run/group
grep -q '^tillbox:' /run/group || echo 'tillbox:x:990:' >> /run/group
mount --bind /run/group /etc/group
cp "$LAB_REPOSITORY"/firmware-config/box/root/etc/udev/rules.d/*.rules /run/udev/rules.d/
/lib/systemd/systemd-udevd --daemon > /run/out/udevd.log 2>&1
udevadm trigger -s usb -s input
udevadm settle

# Nothing in the tree may be written, and plug-ins of other tests only cost time here.
export HOME=/run/home TMPDIR=/run/home PYTHONDONTWRITEBYTECODE=1
export PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 LC_ALL=C.UTF-8
cd "$LAB_REPOSITORY" || exit
# shellcheck disable=SC2086 - the checks are several words
.venv/bin/python -m pytest -p pytest_timeout -p no:cacheprovider -o timeout=60 \
    --confcutdir=tests/hardware/inside --tb=short $LAB_CHECKS > /run/out/pytest.log 2>&1
echo "LAB-END $?"
# The wrapper ends this machine: powering off by itself has hung and panicked.
while :; do sleep 60; done
