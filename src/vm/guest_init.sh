#!/bin/busybox sh
# Process 1 of a machine of `coffer vm`: mounts, modules, network, then the one command, its status, power off. Kernel
# messages and standard error go to the console (ttyS0), standard output to ttyS1, which carries nothing else.
export PATH=/usr/bin:/bin HOME=/root
busybox=/bin/busybox
$busybox mount -t devtmpfs dev /dev
$busybox mount -t proc proc /proc
$busybox mount -t sysfs sys /sys
$busybox mount -t securityfs security /sys/kernel/security
$busybox mkdir -p /dev/shm /tmp
$busybox mount -t tmpfs shm /dev/shm
$busybox mount -t tmpfs tmp /tmp
$busybox --install -s /bin

while read -r module; do
  insmod "/lib/modules/$module.ko" || echo "coffer-vm: module $module cannot be loaded"
done </etc/coffer/modules

# What the host hands over at the start. The image's measurements do not cover it: the program measures it itself.
init_data=/sys/firmware/qemu_fw_cfg/by_name/opt/org.coffer/init-data/raw
if [ -e "$init_data" ]; then
  mkdir -p /run/coffer
  cat "$init_data" >/run/coffer/init-data.toml
  export PROPLET_INIT_DATA=/run/coffer/init-data.toml
fi

# QEMU's user-mode network: the host's loopback is 10.0.2.2, its resolver 10.0.2.3.
ip link set lo up
if ip link set eth0 up 2>/dev/null; then
  ip address add 10.0.2.15/24 dev eth0
  ip route add default via 10.0.2.2
fi

stty -F /dev/ttyS1 raw -echo
exec 3>/dev/ttyS1
read -r uptime rest </proc/uptime
# Firmware has written to this port as well: what comes before this line is not the program's.
printf '\036coffer-vm start\036\n' >&3
echo "coffer-vm: starting the program, $uptime s after the kernel"
/etc/coffer/run >&3 2>/dev/console </dev/null &
program=$!
# The host asks for an orderly end by a line on the console.
while read -r line; do
  [ "$line" != "coffer-vm stop" ] || kill -TERM "$program"
done </dev/console &
wait "$program"
status=$?
printf '\036coffer-vm exit %d\036\n' "$status" >&3
exec 3>&-
poweroff -f
