#!/usr/bin/env bash
# A Slurm of two nodes on this one machine, from Debian's packages: slurm_nodes.sh start|stop
# Wants root and `apt-get install slurm-wlm munge`; writes /etc/slurm/slurm.conf if there is none.
set -euo pipefail
state=/var/tmp/degnext-slurm
conf=/etc/slurm/slurm.conf

start() {
  if [ -e "$conf" ] && ! grep -q degnext-slurm "$conf"; then
    echo "slurm_nodes.sh: $conf is another Slurm's: this test leaves it alone" >&2
    exit 3
  fi
  mkdir -p "$state/spool" /etc/slurm
  local host memory
  host=$(hostname -s)
  memory=$(($(awk '/MemTotal/ {print $2}' /proc/meminfo) / 1024 - 500))
  cat > "$conf" <<CONF
ClusterName=degnext-slurm
SlurmctldHost=$host
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ReturnToService=2
SlurmdTimeout=10
JobRequeue=1
StateSaveLocation=$state
SlurmdSpoolDir=$state/spool/%n
SlurmctldPidFile=$state/slurmctld.pid
SlurmdPidFile=$state/slurmd-%n.pid
SlurmctldLogFile=$state/slurmctld.log
SlurmdLogFile=$state/slurmd-%n.log
NodeName=one,two NodeHostname=$host NodeAddr=127.0.0.1 Port=17011,17012 CPUs=2 RealMemory=$memory
PartitionName=cpu Nodes=one,two Default=YES MaxTime=INFINITE State=UP
CONF
  mkdir -p /run/munge && chown munge: /run/munge
  pgrep -x munged > /dev/null || runuser -u munge -- munged
  slurmctld
  slurmd -N one
  slurmd -N two
  for _ in $(seq 30); do
    [ "$(sinfo -h -t idle -o %D | paste -sd+ | bc)" = 2 ] && exit 0
    sleep 1
  done
  sinfo >&2
  tail -5 "$state"/*.log >&2
  exit 1
}

stop() {
  pkill -9 -x slurmd || true
  pkill -9 -x slurmctld || true
  pkill -x munged || true
  rm -rf "$state" "$conf"
}

case "${1:-}" in
  start | stop) "$1" ;;
  *) echo "slurm_nodes.sh start|stop" >&2; exit 2 ;;
esac
