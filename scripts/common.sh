# scripts/common.sh - what the scripts share; sourced, never run.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034
state=$root/.cache # ignored by git: logs, and which LibTorch was chosen
mkdir -p "$state"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/glidepath # for all copies of the project
# shellcheck disable=SC2034
test_python=$cache/python
# shellcheck disable=SC2034
package_python=$cache/package trainers_python=$cache/trainers

# Colour on terminals only, and not where NO_COLOR asks for none (https://no-color.org).
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
  bold=$'\e[1m' plain=$'\e[0m'
else
  bold='' plain=''
fi

say() { printf '%s\n' "$*"; }
headline() { printf '%s%s%s\n' "$bold" "$*" "$plain"; }
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}
# Wrong usage: exit status 2, as the program itself does.
misuse() {
  printf '%s: %s; see --help\n' "${0##*/}" "$*" >&2
  exit 2
}

# Seconds as "3 min 07 s".
spoken() {
  local seconds=$1
  if ((seconds < 60)); then
    printf '%d s' "$seconds"
  else
    printf '%d min %02d s' $((seconds / 60)) $((seconds % 60))
  fi
}

# Prints the comment block under the first line of the script that runs: its help.
show_help() { awk 'NR == 1 { next } !/^#/ { exit } { sub(/^# ?/, ""); print }' "$0"; }

# The value of the option that stands first: jobs=$(option_value "$@")
option_value() {
  [[ $# -ge 2 && -n $2 ]] || misuse "$1: missing its value"
  printf '%s' "$2"
}

is_count() { [[ $1 =~ ^[1-9][0-9]{0,3}$ ]]; }

# Memory this process may still use, in MiB: what is free, or what the control group leaves.
free_memory_mib() {
  local free limit used
  free=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
  if limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null) && [[ $limit =~ ^[0-9]+$ ]]; then
    used=$(cat /sys/fs/cgroup/memory.current 2>/dev/null || echo 0)
    limit=$(((limit - used) / 1048576))
    ((limit < free)) && free=$limit
  fi
  printf '%d' "$free"
}

# Compilers side by side: one a core, as long as each has the 1.5 GiB that a file with LibTorch takes.
build_jobs() {
  local cores by_memory
  cores=$(nproc)
  by_memory=$(($(free_memory_mib) / 1536))
  ((by_memory < 1)) && by_memory=1
  printf '%d' $((cores < by_memory ? cores : by_memory))
}

# As quietly(), and every 15 seconds says where the command is: ninja's [12/345] at the end of its log.
with_news() { # with_news WHAT LOG COMMAND...
  local what=$1 log=$2 news
  shift 2
  : >"$log"
  (
    while sleep 15; do
      at=$(tail -n 1 "$log" | sed -n 's|^\[\([0-9]*\)/\([0-9]*\)\].*|\1 of \2 steps|p')
      say "$what: ${at:-working} after $(spoken "$SECONDS")"
    done
  ) &
  news=$!
  # shellcheck disable=SC2064
  trap "kill $news 2>/dev/null || true" EXIT
  quietly "$log" "$@"
  kill "$news" 2>/dev/null || true
  wait "$news" 2>/dev/null || true
  trap - EXIT
}

# The shared libraries that a library asks for by name, one a line.
needed_by() { LC_ALL=C readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }

# Runs a command quietly; when it fails, shows the end of what it wrote.
quietly() { # quietly LOG COMMAND...
  local log=$1 status=0
  shift
  "$@" >"$log" 2>&1 || status=$?
  if ((status != 0)); then
    tail -n 60 "$log" >&2
    printf '%s: failed (exit status %d): %s; all of its output is in %s\n' "${0##*/}" "$status" "$*" "$log" >&2
    return "$status"
  fi
}
