#!/bin/bash
# Rolls HP_TI back to the release before this one, with the configuration and the database of a backup.
#   rollback.sh [--latest | --backup NAME]
set -euo pipefail

cd /opt/hp_ti
LOG=/var/log/hp_ti_rollback_$(date +%Y%m%d_%H%M%S).log

log() {
    echo "[$(date '+%Y-%m-%d %H:%M:%S')] $*" | tee -a "$LOG"
}

backup=''
while (($# > 0)); do
    case $1 in
    --backup) backup=${2:?--backup needs a name}; shift ;;
    --latest) backup='' ;;
    *) log "ERROR: unknown option $1"; exit 1 ;;
    esac
    shift
done
if [[ -z $backup ]]; then
    newest=$(ls -1 /var/backups/hp_ti/database/postgres_*.sql.gz | sort | tail -n 1)
    backup=${newest##*/postgres_}
    backup=hp_ti_${backup%.sql.gz}
fi

current=$(cat VERSION)
previous=$(git tag --sort=-version:refname | grep -A1 -Fx "$current" | tail -n 1)
log "Rolling back from $current to $previous with backup $backup"
docker-compose stop honeypot pipeline
git checkout --quiet "tags/$previous"
./deployment/scripts/restore.sh --backup "$backup"
for image in honeypot pipeline; do
    docker pull --quiet "hp_ti/$image:$previous"
    docker tag "hp_ti/$image:$previous" "hp_ti/$image:latest"
done
docker-compose up -d
./deployment/scripts/health_check.sh --post-deploy
log "Rollback to $previous completed"
